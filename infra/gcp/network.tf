resource "google_compute_network" "farm" {
  name                    = "dreamfarm"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "farm" {
  name                     = "dreamfarm"
  network                  = google_compute_network.farm.id
  region                   = var.region
  ip_cidr_range            = "10.61.0.0/20"
  private_ip_google_access = true
}

# Outgoing traffic, for packages; machines have no public addresses.
resource "google_compute_router" "farm" {
  name    = "dreamfarm"
  network = google_compute_network.farm.id
  region  = var.region
}

resource "google_compute_router_nat" "farm" {
  name                               = "dreamfarm"
  router                             = google_compute_router.farm.name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}

# The ports of infra/README.md, and ssh from the head, which sets up workers.
resource "google_compute_firewall" "among_ourselves" {
  name        = "dreamfarm-among-ourselves"
  network     = google_compute_network.farm.id
  source_tags = ["dreamfarm"]
  target_tags = ["dreamfarm"]

  allow {
    protocol = "tcp"
    ports    = ["22", "6379-6383", "8080", "10002-10999", "52365"]
  }
}

resource "google_compute_firewall" "store" {
  name        = "dreamfarm-store"
  network     = google_compute_network.farm.id
  source_tags = ["dreamfarm"]
  target_tags = ["dreamfarm-store"]

  allow {
    protocol = "tcp"
    ports    = ["8333"]
  }
}

# Only Google's proxy (Identity-Aware Proxy), which authenticates users.
resource "google_compute_firewall" "proxy" {
  name          = "dreamfarm-proxy"
  network       = google_compute_network.farm.id
  source_ranges = ["35.235.240.0/20"]
  target_tags   = ["dreamfarm", "dreamfarm-store"]

  allow {
    protocol = "tcp"
    ports    = ["22", "8333"]
  }
}

resource "google_project_iam_member" "operators" {
  for_each = toset(var.operators)
  project  = var.project
  role     = "roles/iap.tunnelResourceAccessor"
  member   = each.value
}
