resource "aws_vpc" "farm" {
  cidr_block           = "10.60.0.0/16"
  enable_dns_hostnames = true
}

# The default group has no rules, so a machine without another group is closed.
resource "aws_default_security_group" "farm" {
  vpc_id = aws_vpc.farm.id
}

# Machines have public addresses for outgoing traffic. They cost only while machines run; a NAT gateway
# always costs. The security group admits nothing from outside.
resource "aws_subnet" "farm" {
  for_each                = { for index, zone in var.zones : zone => index }
  vpc_id                  = aws_vpc.farm.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(aws_vpc.farm.cidr_block, 4, each.value)
  map_public_ip_on_launch = true
}

resource "aws_internet_gateway" "farm" {
  vpc_id = aws_vpc.farm.id
}

resource "aws_route_table" "farm" {
  vpc_id = aws_vpc.farm.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.farm.id
  }
}

resource "aws_route_table_association" "farm" {
  for_each       = aws_subnet.farm
  subnet_id      = each.value.id
  route_table_id = aws_route_table.farm.id
}

# A free path to the bucket within AWS.
resource "aws_vpc_endpoint" "store" {
  vpc_id          = aws_vpc.farm.id
  service_name    = "com.amazonaws.${var.region}.s3"
  route_table_ids = [aws_route_table.farm.id]
}

resource "aws_security_group" "farm" {
  name        = "dreamfarm"
  description = "The machines of the farm, among themselves"
  vpc_id      = aws_vpc.farm.id
}

resource "aws_vpc_security_group_ingress_rule" "among_ourselves" {
  description                  = "Ray, and ssh from the head, which sets workers up"
  security_group_id            = aws_security_group.farm.id
  referenced_security_group_id = aws_security_group.farm.id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "among_ourselves" {
  description                  = "Ray, and ssh from the head"
  security_group_id            = aws_security_group.farm.id
  referenced_security_group_id = aws_security_group.farm.id
  ip_protocol                  = "-1"
}

# The store, AWS APIs, and the packages that a machine installs.
resource "aws_vpc_security_group_egress_rule" "web" {
  for_each          = toset(["80", "443"])
  description       = "The store, AWS, packages"
  security_group_id = aws_security_group.farm.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.value)
  to_port           = tonumber(each.value)
}
