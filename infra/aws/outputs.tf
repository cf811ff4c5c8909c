output "store" {
  description = "The store for DREAMFARM_STORE and cluster.yaml."
  value       = "s3://${aws_s3_bucket.store.bucket}"
}

output "submitter_policy" {
  description = "Attach this policy to users that submit, watch and fetch."
  value       = aws_iam_policy.store.arn
}
