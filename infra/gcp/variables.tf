variable "project" {
  description = "A project for the farm alone: Ray gives its head's account wide rights in it."
  type        = string
}

variable "region" {
  description = "Where everything is; the same as in cluster.yaml."
  type        = string
  default     = "europe-west4"
}

variable "zone" {
  description = "The zone of the store and the machines; the same as in cluster.yaml."
  type        = string
  default     = "europe-west4-a"
}

variable "operators" {
  description = "Who may reach machines by ssh, through Google's proxy: user:somebody@example.com, …"
  type        = list(string)
}

variable "store_gigabytes" {
  description = "Size of the store's disk; it can grow later, and not shrink."
  type        = number
  default     = 200
}
