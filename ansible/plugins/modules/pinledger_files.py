#!/usr/bin/python
"""Files and folders of a machine in one go: copy and template need four round trips for each, changed or not."""
import os
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_bytes, to_text

DOCUMENTATION = """
module: pinledger_files
short_description: Makes files and folders be as a list says
options:
  entries:
    description: In this order, so a folder stands before what is in it.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {type: path, required: true, description: Where it is.}
      content: {type: str, description: What the file holds; without it, the entry is a folder.}
      owner: {type: str, default: root, description: User that it belongs to.}
      group: {type: str, default: root, description: Group that it belongs to.}
      mode: {type: str, required: true, description: Its rights, such as 0644.}
      validate: {type: str, description: "Command that has to accept a new content; %s is its file."}
"""
ENTRY = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str"},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str", "required": True},
    "validate": {"type": "str"},
}


class Quiet(AnsibleModule):
    def _log_invocation(self):
        """What files hold is not for the log of the machine."""


def write(module, path, content, validate):
    """Replaces a file by one that is whole, and that its program accepts."""
    handle, partial = tempfile.mkstemp()
    module.add_cleanup_file(partial)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    if validate is not None:
        code, out, err = module.run_command(validate % partial)
        if code != 0:
            module.fail_json(msg=f"{path}: {validate} refuses the new content: {out}{err}")
    module.atomic_move(partial, path)


def settle(module, entry):
    """Makes one entry be as it says: whether it changed, and what --diff shows of it."""
    path, mode = entry["path"], entry["mode"]
    if entry["content"] is None:
        differs = not os.path.isdir(path)
        diff = {"prepared": f"{path}: a new folder\n"}
        if differs and not module.check_mode:
            os.mkdir(path, 0o700)
    else:
        before, after = b"", to_bytes(entry["content"])
        there = os.path.lexists(path)
        if there:
            with open(path, "rb") as file:
                before = file.read()
        differs = not there or before != after
        diff = {"before": to_text(before), "after": to_text(after), "before_header": path, "after_header": path}
        if differs and not module.check_mode:
            write(module, path, after, entry["validate"])
    changed = differs
    # A dry run has not made it.
    if os.path.lexists(path):
        changed = module.set_mode_if_different(path, mode, changed)
        changed = module.set_owner_if_different(path, entry["owner"], changed)
        changed = module.set_group_if_different(path, entry["group"], changed)
    if changed and not differs:
        diff = {"prepared": f"{path}: its owner or rights\n"}
    return changed, diff


def main():
    module = Quiet(
        argument_spec={"entries": {"type": "list", "elements": "dict", "required": True, "options": ENTRY}},
        supports_check_mode=True,
    )
    # What a new file holds is nobody's to read before it has its rights.
    os.umask(0o077)
    diffs = []
    for entry in module.params["entries"]:
        try:
            changed, diff = settle(module, entry)
        except OSError as error:
            module.fail_json(msg=f"{entry['path']}: {error}")
        if changed:
            diffs.append(diff)
    module.exit_json(changed=bool(diffs), diff=diffs)


if __name__ == "__main__":
    main()
