variable "project" {
  description = "A project for the cluster only: Ray gives its head's account wide rights in it."
  type        = string
}

variable "region" {
  description = "Region, as in cluster.yaml."
  type        = string
  default     = "europe-west4"
}

variable "zone" {
  description = "Zone of the store and the machines, as in cluster.yaml."
  type        = string
  default     = "europe-west4-a"
}

variable "operators" {
  description = "Users that may use ssh through Google's proxy: user:somebody@example.com, …"
  type        = list(string)
}

variable "store_gigabytes" {
  description = "Size of the store's disk; it can grow later, but not shrink."
  type        = number
  default     = 200
}
