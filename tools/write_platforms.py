"""
Write the documentation's page of platforms anew.

In:  the data files of the presets, and of the platforms that have none; the page.
Out: docs/platforms.md, its made parts filled anew, its prose as it was.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from trustedproxy import presets
from trustedproxy.presets import GROUPS, Preset, Source, Unconfirmed
from trustedproxy.presets.combining import setting_of

#: The environment variable that the examples read a secret from.
SECRET = "EDGE_SECRET"

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "platforms.md"


def main() -> int:
    """Write the page."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(render(page), encoding="utf-8")
    return 0


def render(page: str) -> str:
    """Fill the parts of *page* that are made: between a mark and ``<!-- end -->``."""
    parts = make_parts()
    filled = re.sub(
        r"<!-- made: (\S+) -->\n.*?<!-- end -->\n",
        lambda mark: (
            f"<!-- made: {mark[1]} -->\n\n{parts.pop(mark[1]).rstrip()}\n\n"
            "<!-- end -->\n"
        ),
        page,
        flags=re.DOTALL,
    )
    if parts:
        raise ValueError(f"no place for {', '.join(parts)}")
    return filled


def make_parts() -> dict[str, str]:
    """Make every part, by the name in its mark."""
    confirmed = [presets.read_preset(name) for name in presets.names()]
    others = [presets.read_unconfirmed(name) for name in presets.unconfirmed_names()]
    others.sort(key=lambda one: one.title)
    return {
        "table": _table(confirmed),
        **{
            group: "".join(_preset(one) for one in confirmed if one.group == group)
            for group in GROUPS
        },
        "unconfirmed": "".join(map(_unconfirmed, others)),
    }


def _table(confirmed: Iterable[Preset]) -> str:
    rows = [
        "| preset | for | headers | elements | whom to trust |\n",
        "|---|---|---|---|---|\n",
    ]
    for one in confirmed:
        headers = ", ".join(f"`{name}`" for name in _texts(one.arguments["headers"]))
        count = str(one.arguments.get("hops", ""))
        link = f"[`{one.name}`](#{_anchor(one)})"
        rows.append(f"| {link} | {one.title} | {headers} | {count} | {_whom(one)} |\n")
    return "".join(rows)


def _whom(preset: Preset) -> str:
    if preset.networks is not None:
        return f"its networks of {preset.networks.published}"
    if preset.needs == "secrets":
        return f"say it: `{setting_of('secrets')}`"
    if preset.needs == "proxies":
        return f"say it: `{setting_of('proxies')}`"
    return ", ".join(f"`{entry}`" for entry in _texts(preset.arguments["proxies"]))


def _anchor(platform: Preset | Unconfirmed) -> str:
    return f"preset-{platform.name}"


def _preset(preset: Preset) -> str:
    said = {"preset": preset.name, **preset.example}
    parts = [
        f"### {preset.title}: `{preset.name}` {{ #{_anchor(preset)} }}\n\n",
        f"{preset.audience}\n\n",
        _settings(said),
        _list("It sends:", preset.sends),
        _list("A client can send through it:", preset.forgeable),
        _preset_values(preset),
        _half(preset),
        _list("Caution:", preset.caution),
        _sources(preset),
    ]
    return "".join(parts)


def _preset_values(preset: Preset) -> str:
    """Say what the preset is, by setting."""
    shown = {
        name: "its networks, below" if name == "proxies" and preset.networks else value
        for name, value in preset.arguments.items()
    }
    lines = [
        f"- `{setting_of(name)}`: "
        + (str(value) if value == "its networks, below" else f"`{_python(value)}`")
        + "\n"
        for name, value in shown.items()
    ]
    if preset.needs is not None:
        lines.append(f"- To be said: `{setting_of(preset.needs)}`, {preset.needed}.\n")
    if preset.networks is not None:
        entries = ", ".join(f"`{entry}`" for entry in preset.networks.entries)
        lines.append(
            f"- Its networks, as [published]({preset.networks.source}) on "
            f"{preset.networks.published}: {entries}.\n"
        )
    return "The preset is:\n\n" + "".join(lines) + "\n"


def _half(preset: Preset) -> str:
    """Point to the front end's half of the configuration."""
    if preset.front_end is None:
        return ""
    needed = (
        "Without it the preset is wrong"
        if preset.configured
        else "The preset holds without it; it closes the spellings that a server may "
        "take for the headers"
    )
    return (
        f"The front end's half: [Front ends](frontends.md), or "
        f"`trustedproxy config {preset.front_end}` for the policy in force. "
        f"{needed}.\n\n"
    )


def _unconfirmed(platform: Unconfirmed) -> str:
    parts = [
        f"### {platform.title} {{ #{_anchor(platform)} }}\n\n",
        f"{platform.audience}\n\n",
        _list("What is known:", platform.sends),
        _list("What a client can send through it:", platform.forgeable),
        _list("Measure:", platform.measure),
        "Then, with what you measured:\n\n",
        _code("python", _django(platform.then)),
        _list("Caution:", platform.caution),
        _sources(platform),
    ]
    return "".join(parts)


def _sources(platform: Preset | Unconfirmed) -> str:
    published = ""
    if platform.publication is not None:
        part = platform.publication.service
        service = f", service `{part}`" if part is not None else ""
        published = (
            f"- Networks are published at <{platform.publication.url}>{service}.\n"
        )
    rows = "".join(
        f"- {_link(source)}: {source.says}.\n" for source in platform.sources
    )
    return f"Sources, read on {platform.checked}:\n\n{published}{rows}\n"


def _link(source: Source) -> str:
    if "://" in source.url:
        return f"<{source.url}>"
    # A page of this documentation, by its title.
    page = (DOCS / source.url).read_text(encoding="utf-8")
    title = page.partition("\n")[0].removeprefix("# ")
    return f"[{title}]({source.url})"


def _list(title: str, sentences: Sequence[str]) -> str:
    return f"{title}\n\n" + "".join(f"- {text}\n" for text in sentences) + "\n"


def _settings(said: Mapping[str, object]) -> str:
    return (
        "Django:\n\n"
        + _code("python", _django(said))
        + "Flask:\n\n"
        + _code("python", _flask(said))
        + "Environment:\n\n"
        + _code("sh", _environment(said))
    )


def _django(said: Mapping[str, object]) -> str:
    return "".join(
        f"{setting_of(name)} = {_secret('python', name) or _python(value)}\n"
        for name, value in said.items()
    )


def _flask(said: Mapping[str, object]) -> str:
    arguments = "".join(
        f"    {setting_of(name)}={_secret('python', name) or _python(value)},\n"
        for name, value in said.items()
    )
    return f"app.config.update(\n{arguments})\n"


def _environment(said: Mapping[str, object]) -> str:
    return "".join(
        f"{setting_of(name)}={_secret('sh', name) or _shell(value)}\n"
        for name, value in said.items()
    )


def _secret(language: str, name: str) -> str:
    """Write where a secret is read from: it belongs into no file of settings."""
    spelled = {"python": f'[os.environ["{SECRET}"]]', "sh": f'"${SECRET}"'}
    return spelled[language] if name == "secrets" else ""


def _code(language: str, text: str) -> str:
    return f"```{language}\n{text}```\n\n"


def _python(value: object) -> str:
    """Write *value* as Python does, with double quotes."""
    if isinstance(value, tuple):
        return f"[{', '.join(_python(one) for one in value)}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _shell(value: object) -> str:
    text = " ".join(_texts(value)) if isinstance(value, tuple) else str(value)
    return text if text and " " not in text else f'"{text}"'


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, tuple) else []


if __name__ == "__main__":
    sys.exit(main())
