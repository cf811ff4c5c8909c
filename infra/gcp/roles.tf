# One account per role, with only the rights that it needs. No account has keys.
resource "google_service_account" "head" {
  account_id   = "dreamfarm-head"
  display_name = "Dreamfarm: head"
}

resource "google_service_account" "worker" {
  account_id   = "dreamfarm-worker"
  display_name = "Dreamfarm: workers"
}

resource "google_service_account" "store" {
  account_id   = "dreamfarm-store"
  display_name = "Dreamfarm: store"
}

# Ray's autoscaler on the head starts and ends machines, and gives them the workers' account.
resource "google_project_iam_member" "autoscaler" {
  project = var.project
  role    = "roles/compute.instanceAdmin.v1"
  member  = google_service_account.head.member
}

resource "google_service_account_iam_member" "hand_over" {
  service_account_id = google_service_account.worker.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.head.member
}

# Add the contents by hand, so that they are in no state file of Terraform.
resource "google_secret_manager_secret" "store_keys" {
  secret_id = "dreamfarm-store-keys"
  replication {
    auto {}
  }
}

resource "google_secret_manager_secret" "store_identities" {
  secret_id = "dreamfarm-store-identities"
  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_iam_member" "store_keys" {
  for_each  = { head = google_service_account.head.member, worker = google_service_account.worker.member }
  secret_id = google_secret_manager_secret.store_keys.id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}

resource "google_secret_manager_secret_iam_member" "store_identities" {
  secret_id = google_secret_manager_secret.store_identities.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.store.member
}
