data "aws_ssm_parameter" "image" {
  name = var.image
}

# What cluster.yaml starts; the size, the price and the disk of a machine stand there.
resource "aws_launch_template" "head" {
  name                   = "dreamfarm-head"
  image_id               = data.aws_ssm_parameter.image.insecure_value
  vpc_security_group_ids = [aws_security_group.farm.id]

  iam_instance_profile {
    arn = aws_iam_instance_profile.head.arn
  }

  # As in cluster.yaml, for whoever starts a machine without it.
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

  # As in cluster.yaml, for whoever starts a machine without it.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}
