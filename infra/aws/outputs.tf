output "store" {
  description = "For DREAMFARM_STORE, and for cluster.yaml."
  value       = "s3://${aws_s3_bucket.store.bucket}"
}

output "submitter_policy" {
  description = "Attach this to whoever may submit, watch and fetch."
  value       = aws_iam_policy.store.arn
}
