# The rights that submitters, `work` and workers need, in this bucket only.
data "aws_iam_policy_document" "store" {
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"]
    resources = [aws_s3_bucket.store.arn]
  }
  statement {
    sid = "Objects"
    actions = [
      "s3:GetObject",
      "s3:PutObject",
      "s3:DeleteObject",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    resources = ["${aws_s3_bucket.store.arn}/*"]
  }
}

resource "aws_iam_policy" "store" {
  name   = "dreamfarm-store"
  policy = data.aws_iam_policy_document.store.json
}

data "aws_iam_policy_document" "machines" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "worker" {
  name               = "dreamfarm-worker"
  assume_role_policy = data.aws_iam_policy_document.machines.json
}

resource "aws_iam_role_policy_attachment" "worker_store" {
  role       = aws_iam_role.worker.name
  policy_arn = aws_iam_policy.store.arn
}

resource "aws_iam_instance_profile" "worker" {
  name = "dreamfarm-worker"
  role = aws_iam_role.worker.name
}

# Ray's autoscaler on the head: reads all, starts machines from our template, ends only ours.
data "aws_iam_policy_document" "autoscaler" {
  statement {
    sid       = "Look"
    actions   = ["ec2:Describe*"]
    resources = ["*"]
  }
  statement {
    sid       = "Start"
    actions   = ["ec2:RunInstances"]
    resources = ["*"]
    condition {
      test     = "ArnEquals"
      variable = "ec2:LaunchTemplate"
      values   = [aws_launch_template.worker.arn]
    }
  }
  statement {
    sid       = "NameAtTheStart"
    actions   = ["ec2:CreateTags"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["RunInstances"]
    }
  }
  statement {
    sid       = "Ours"
    actions   = ["ec2:CreateTags", "ec2:TerminateInstances"]
    resources = ["arn:aws:ec2:*:*:instance/*"]
    condition {
      test     = "StringEquals"
      variable = "ec2:ResourceTag/ray-cluster-name"
      values   = ["dreamfarm"]
    }
  }
  statement {
    sid       = "HandOverTheWorkersRole"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.worker.arn]
  }
}

resource "aws_iam_policy" "autoscaler" {
  name   = "dreamfarm-autoscaler"
  policy = data.aws_iam_policy_document.autoscaler.json
}

resource "aws_iam_role" "head" {
  name               = "dreamfarm-head"
  assume_role_policy = data.aws_iam_policy_document.machines.json
}

resource "aws_iam_role_policy_attachment" "head" {
  for_each = {
    store      = aws_iam_policy.store.arn
    autoscaler = aws_iam_policy.autoscaler.arn
    # ssh through Systems Manager, with AWS identities and without an open port.
    sessions = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
  }
  role       = aws_iam_role.head.name
  policy_arn = each.value
}

resource "aws_iam_instance_profile" "head" {
  name = "dreamfarm-head"
  role = aws_iam_role.head.name
}
