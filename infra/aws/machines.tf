data "aws_ssm_parameter" "image" {
  name = var.image
}

# The templates that cluster.yaml uses. It sets size, price and disk of the machines.
resource "aws_launch_template" "head" {
  name                   = "dreamfarm-head"
  image_id               = data.aws_ssm_parameter.image.insecure_value
  vpc_security_group_ids = [aws_security_group.farm.id]

  iam_instance_profile {
    arn = aws_iam_instance_profile.head.arn
  }

  # The same as in cluster.yaml, for machines that are started without it.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

resource "aws_launch_template" "worker" {
  name                   = "dreamfarm-worker"
  image_id               = data.aws_ssm_parameter.image.insecure_value
  vpc_security_group_ids = [aws_security_group.farm.id]

  iam_instance_profile {
    arn = aws_iam_instance_profile.worker.arn
  }

  # The same as in cluster.yaml, for machines that are started without it.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}
