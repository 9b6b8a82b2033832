"""`report.html`: one file with the curves, the confusion matrix, the worst mistakes and the settings."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import Any

import numpy as np

from .info import lines

STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --paper: #fffdf8; --soft: #78716c; --line: #e7e2d8; --blue: #2563eb;
  --gold: #d97706; }
@media (prefers-color-scheme: dark) { :root { --ink: #f5f5f4; --paper: #1c1917; --soft: #a8a29e; --line: #44403c;
  --blue: #60a5fa; --gold: #fbbf24; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
.big { font-size: 3rem; font-weight: 700; } .soft { color: var(--soft); } .wide { overflow-x: auto; }
.row { display: flex; flex-wrap: wrap; gap: 1.5rem; } .row > figure { flex: 1 1 22rem; margin: 0; }
figcaption { color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; } td, th { padding: .2rem .6rem; text-align: right; }
.matrix td { min-width: 2.2rem; border: 1px solid var(--line); }
.matrix th { font-weight: 500; color: var(--soft); max-width: 12rem; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; vertical-align: bottom; }
.upright th > span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9rem; overflow: hidden;
  text-overflow: ellipsis; }
.matrix td:last-child { border: 0; white-space: nowrap; color: var(--soft); }
.map { width: 26rem; max-width: 100%; align-self: flex-start; image-rendering: pixelated; border: 1px solid var(--line); }
.settings td, .settings th { text-align: left; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.settings th { font-weight: 500; color: var(--soft); white-space: nowrap; }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: 1rem; }
.mistakes figure { margin: 0; } .mistakes img { width: 7rem; height: 7rem; object-fit: contain; background: #000; }
.mistakes img.small { image-rendering: pixelated; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
"""
MOST_IN_TABLE = 25  # classes; more are drawn as a picture


def curve(title: str, series: list[tuple[str, str, list[float]]], percent: bool = False) -> str:
    """A line chart as SVG: (label, colour, values) a line, one value an epoch."""
    width, height, left, bottom, top = 440, 240, 58, 24, 12
    values = np.array([v for _, _, line in series for v in line], float)
    low, high = float(values.min()), float(values.max())
    if not percent:
        low = min(low, 0.0)
    if high <= low:
        low, high = (low - 0.05, low + 0.05) if percent else (low, low + 1.0)
    n = max(len(line) for _, _, line in series)

    def place(i: int, v: float) -> tuple[float, float]:
        x = left + (width - left - 8) * (i / (n - 1) if n > 1 else 0.5)
        return x, top + (height - top - bottom) * (1 - (v - low) / (high - low))

    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(title)}">']
    for k in range(5):
        v = low + (high - low) * k / 4
        _, y = place(0, v)
        label = f"{100 * v:.1f} %" if percent else f"{v:.2f}"
        parts.append(f'<line x1="{left}" x2="{width - 8}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--line)"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    parts.append(f'<text x="{left}" y="{height - 4}">epoch 1</text>')
    if n > 1:
        parts.append(f'<text x="{width - 8}" y="{height - 4}" text-anchor="end">{n}</text>')
    for k, (label, colour, line) in enumerate(series):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(i, v) for i, v in enumerate(line)))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if n == 1:
            x, y = place(0, line[0])
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        x = width - 230 + 95 * k
        parts.append(f'<rect x="{x}" y="{height - 14}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14}" y="{height - 4}">{html.escape(label)}</text>')
    parts.append("</svg>")
    return f"<figure>{''.join(parts)}<figcaption>{html.escape(title)}</figcaption></figure>"


def confusion(labels: Any, guesses: Any, classes: list[str]) -> str:
    """The confusion matrix, a row a true class and a column a guess: a table, or a picture where that is too big."""
    n = len(classes)
    counts = np.zeros((n, n), int)
    np.add.at(counts, (labels, guesses), 1)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    names = [html.escape(name) for name in classes]
    if n > MOST_IN_TABLE:
        return _map(counts, shares, names)
    upright = " upright" if max(map(len, classes)) > 4 else ""
    rows = [
        f"<tr class='head{upright}'><th></th>{''.join(f'<th title={name!r}><span>{name}</span></th>' for name in names)}"
        "<th>right</th></tr>"
    ]
    for i, name in enumerate(names):
        cells = []
        for j in range(n):
            hue = "37, 99, 235" if i == j else "217, 119, 6"
            cells.append(f'<td style="background: rgba({hue}, {0.75 * shares[i, j]:.2f})">{counts[i, j] or ""}</td>')
        right = f"{100 * shares[i, i]:.1f} %" if counts[i].any() else "-"
        rows.append(f'<tr><th title="{name}">{name}</th>{"".join(cells)}<td>{right}</td></tr>')
    return f'<div class="wide"><table class="matrix">{"".join(rows)}</table></div>'


def _map(counts: Any, shares: Any, names: list[str]) -> str:
    """A pixel an entry, and the most frequent confusions in words."""
    from ..vision.pillow import pillow

    n = len(names)
    pixels = np.empty((n, n, 4), np.uint8)
    pixels[...] = (217, 119, 6, 0)
    pixels[np.arange(n), np.arange(n), :3] = (37, 99, 235)
    pixels[..., 3] = np.rint(255 * np.sqrt(shares))
    wrong = counts * (1 - np.eye(n, dtype=int))
    worst = [divmod(int(k), n) for k in np.argsort(-wrong, axis=None, kind="stable")[:15]]
    rows = "".join(
        f"<tr><td>{wrong[i, j]}</td><td>{names[i]}</td><td>{names[j]}</td></tr>" for i, j in worst if wrong[i, j]
    )
    table = f'<table class="settings"><tr><th>times</th><th>true class</th><th>taken for</th></tr>{rows}</table>'
    return f'<div class="row"><img class="map" src="{picture_url(pillow().fromarray(pixels))}" alt="">{table}</div>'


def picture_url(picture: Any) -> str:
    """A PIL picture as a data URL."""
    data = io.BytesIO()
    picture.save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def mistakes(part: Any, scores: Any, labels: Any, classes: list[str], most: int = 24) -> str:
    """The pictures whose wrong class got the highest probability."""
    shifted = np.exp(scores - scores.max(1, keepdims=True))
    probabilities = shifted / shifted.sum(1, keepdims=True)
    guesses = scores.argmax(1)
    wrong = np.nonzero(guesses != labels)[0]
    worst = wrong[np.argsort(-probabilities[wrong, guesses[wrong]], kind="stable")][:most]
    if not len(worst):
        return "<p>None: every test picture was classified correctly.</p>"
    figures = []
    for i in worst:
        picture = part.picture(int(i))[0].copy()
        small = ' class="small"' if max(picture.size) < 112 else ""
        picture.thumbnail((224, 224))
        text = f"{classes[labels[i]]}, taken for {classes[guesses[i]]} ({100 * probabilities[i, guesses[i]]:.0f} %)"
        figures.append(
            f'<figure><img{small} src="{picture_url(picture)}" alt=""><figcaption>{html.escape(text)}</figcaption></figure>'
        )
    return f'<div class="mistakes">{"".join(figures)}</div>'


def write_report(run: Any, scores: Any, labels: Any, loss: float) -> Path:
    """Write report.html into the run's folder and return its path."""
    from .train import write

    guesses, classes = scores.argmax(1), run.data.classes

    def series(what: str) -> list[tuple[str, str, list[float]]]:
        parts = (("training", "var(--blue)", f"train_{what}"), ("validation", "var(--gold)", f"validation_{what}"))
        return [(label, colour, [row[name] for row in run.rows]) for label, colour, name in parts]

    facts = {
        **{name.replace("_", " "): value for name, value in run.settings.items() if value is not None},
        "parameters": f"{sum(p.numel() for p in run.network.parameters()):,}",
        "time": f"{sum(row['seconds'] for row in run.rows):.1f} s for {run.epochs} epochs",
        "test loss": f"{loss:.4f}",
    }
    table = "".join(f"<tr><th>{name}</th><td>{html.escape(str(value))}</td></tr>" for name, value in facts.items())
    title = html.escape(f"{run.settings['model']} on {run.settings['data']}")
    page = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{STYLE}</style>
<h1>{title}</h1>
<p class="soft">{len(run.data.train):,} pictures to train, {len(run.data.validation):,} to validate, {len(labels):,} to
test</p>
<p><span class="big">{100 * float((guesses == labels).mean()):.1f} %</span> of the test pictures right</p>
<h2>Learning</h2><div class="row">{curve("Loss, by epoch", series("loss"))}
{curve("Accuracy, by epoch", series("accuracy"), percent=True)}</div>
<h2>Confusion matrix</h2><p class="soft">A row is the true class, a column what the network said.</p>
{confusion(labels, guesses, classes)}
<h2>The worst mistakes</h2>{mistakes(run.data.test, scores, labels, classes)}
<h2>Settings</h2><table class="settings">{table}</table><pre class="soft">{html.escape(chr(10).join(lines()))}</pre></html>
"""
    path: Path = run.out / "report.html"
    write(path, page)
    return path
