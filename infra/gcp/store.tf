# The store is a small machine, because `work` refuses Google's buckets: their S3 interface does not
# support If-None-Match for writes, which leases need.
resource "google_compute_disk" "store" {
  name = "dreamfarm-store"
  type = "pd-balanced"
  zone = var.zone
  size = var.store_gigabytes

  # It holds all jobs.
  lifecycle {
    prevent_destroy = true
  }
}

# A daily snapshot, kept for a week.
resource "google_compute_resource_policy" "daily" {
  name   = "dreamfarm-daily"
  region = var.region

  snapshot_schedule_policy {
    schedule {
      daily_schedule {
        days_in_cycle = 1
        start_time    = "03:00"
      }
    }
    retention_policy {
      max_retention_days    = 7
      on_source_disk_delete = "KEEP_AUTO_SNAPSHOTS"
    }
  }
}

resource "google_compute_disk_resource_policy_attachment" "store" {
  name = google_compute_resource_policy.daily.name
  disk = google_compute_disk.store.name
  zone = var.zone
}

resource "google_compute_address" "store" {
  name         = "dreamfarm-store"
  address_type = "INTERNAL"
  address      = "10.61.0.2"
  subnetwork   = google_compute_subnetwork.farm.id
}

resource "google_compute_instance" "store" {
  name         = "dreamfarm-store"
  zone         = var.zone
  machine_type = "e2-medium"
  tags         = ["dreamfarm-store"]

  boot_disk {
    initialize_params {
      image = "projects/debian-cloud/global/images/family/debian-12"
    }
  }

  attached_disk {
    source      = google_compute_disk.store.id
    device_name = "store"
  }

  # No public address.
  network_interface {
    subnetwork = google_compute_subnetwork.farm.id
    network_ip = google_compute_address.store.address
  }

  service_account {
    email  = google_service_account.store.email
    scopes = ["cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot = true
  }

  metadata = {
    block-project-ssh-keys = "true"
    startup-script         = file("${path.module}/store.sh")
  }
}
