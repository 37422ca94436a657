"""Terraform's workflow for live alarms on Huawei Cloud: declare, plan, apply."""

__version__ = "0.1.0"
