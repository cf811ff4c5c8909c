variable "bucket" {
  description = "Name of the new bucket; globally unique."
  type        = string
}

variable "region" {
  description = "AWS region, as in cluster.yaml."
  type        = string
  default     = "eu-central-1"
}

variable "zones" {
  description = "Availability zones for machines, as in cluster.yaml."
  type        = list(string)
  default     = ["eu-central-1a", "eu-central-1b"]
}

variable "image" {
  description = "SSM parameter with the machines' image: Ubuntu with NVIDIA's driver."
  type        = string
  default     = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"
}
