variable "bucket" {
  description = "Name of the bucket to make; no other in the world may have it."
  type        = string
}

variable "region" {
  description = "Where everything is; the same as in cluster.yaml."
  type        = string
  default     = "eu-central-1"
}

variable "zones" {
  description = "Availability zones to find machines in; the same as in cluster.yaml."
  type        = list(string)
  default     = ["eu-central-1a", "eu-central-1b"]
}

variable "image" {
  description = "SSM parameter that names the machines' image: Ubuntu with NVIDIA's driver."
  type        = string
  default     = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"
}
