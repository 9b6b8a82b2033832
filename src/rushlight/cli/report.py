"""`report.html`: one file with the curves, the confusion matrix, the worst mistakes and the settings."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import Any

import numpy as np

STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --paper: #fffdf8; --soft: #78716c; --line: #e7e2d8; --blue: #2563eb;
  --gold: #d97706; }
@media (prefers-color-scheme: dark) { :root { --ink: #f5f5f4; --paper: #1c1917; --soft: #a8a29e; --line: #44403c;
  --blue: #60a5fa; --gold: #fbbf24; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
.big { font-size: 3rem; font-weight: 700; } .soft { color: var(--soft); }
.row { display: flex; flex-wrap: wrap; gap: 1.5rem; } .row > figure { flex: 1 1 22rem; margin: 0; }
figcaption { color: var(--soft); font-size: .9rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .6rem; text-align: right; }
.matrix td { width: 2.2rem; border: 1px solid var(--line); } .matrix th { font-weight: 500; color: var(--soft); }
.matrix td:last-child { border: 0; white-space: nowrap; color: var(--soft); }
.settings td, .settings th { text-align: left; border-bottom: 1px solid var(--line); }
.mistakes { display: flex; flex-wrap: wrap; gap: 1rem; }
.mistakes figure { margin: 0; width: 7rem; } .mistakes img { width: 7rem; height: 7rem; image-rendering: pixelated;
  background: #000; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
"""


def curve(title: str, series: list[tuple[str, str, list[float]]], percent: bool = False) -> str:
    """A line chart as SVG: (label, colour, values) a line, one value an epoch."""
    width, height, left, bottom, top = 440, 240, 58, 24, 12
    values = np.array([v for _, _, line in series for v in line], float)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if not percent:
        low = min(low, 0.0)
    if high <= low:
        high = low + 1.0
    n = max((len(line) for _, _, line in series), default=1)

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
    parts.append(f'<text x="{width - 8}" y="{height - 4}" text-anchor="end">{n}</text>')
    for k, (label, colour, line) in enumerate(series):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(i, v) for i, v in enumerate(line)))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(line) == 1:
            x, y = place(0, line[0])
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        x = width - 230 + 95 * k
        parts.append(f'<rect x="{x}" y="{height - 14}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14}" y="{height - 4}">{html.escape(label)}</text>')
    parts.append("</svg>")
    return f"<figure>{''.join(parts)}<figcaption>{html.escape(title)}</figcaption></figure>"


def confusion(labels: Any, guesses: Any, classes: list[str]) -> str:
    """The confusion matrix as a table: a row a true class, a column a guess."""
    n = len(classes)
    counts = np.zeros((n, n), int)
    np.add.at(counts, (labels, guesses), 1)
    if n > 25:
        return f"<p class='soft'>{n} classes: too many for a table.</p>"
    head = "".join(f"<th>{html.escape(c)}</th>" for c in classes)
    rows = []
    for i, name in enumerate(classes):
        total = max(int(counts[i].sum()), 1)
        cells = []
        for j in range(n):
            share = counts[i, j] / total
            hue = "37, 99, 235" if i == j else "217, 119, 6"
            cells.append(f'<td style="background: rgba({hue}, {0.75 * share:.2f})">{counts[i, j] or ""}</td>')
        rows.append(f"<tr><th>{html.escape(name)}</th>{''.join(cells)}<td>{100 * counts[i, i] / total:.1f} %</td></tr>")
    return f'<table class="matrix"><tr><th></th>{head}<th>right</th></tr>{"".join(rows)}</table>'


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
    worst = wrong[np.argsort(-probabilities[wrong, guesses[wrong]])][:most]
    if not len(worst):
        return "<p>None: every test picture was classified correctly.</p>"
    figures = []
    for i in worst:
        picture = part.pictures[int(i)][0]
        text = f"{classes[labels[i]]}, taken for {classes[guesses[i]]} ({100 * probabilities[i, guesses[i]]:.0f} %)"
        figures.append(
            f'<figure><img src="{picture_url(picture)}" alt=""><figcaption>{html.escape(text)}</figcaption></figure>'
        )
    return f'<div class="mistakes">{"".join(figures)}</div>'


def write_report(run: Any, scores: Any, labels: Any, loss: float, seconds: float) -> Path:
    """Write report.html into the run's folder and return its path."""
    from .info import lines
    from .train import write_atomically

    rows, classes = run.rows, run.data.classes
    guesses = scores.argmax(1)
    accuracy = float((guesses == labels).mean())
    losses = [("training", "var(--blue)", [r["train_loss"] for r in rows]), ("validation", "var(--gold)", [r["validation_loss"] for r in rows])]
    rates = [
        ("training", "var(--blue)", [r["train_accuracy"] for r in rows]),
        ("validation", "var(--gold)", [r["validation_accuracy"] for r in rows]),
    ]
    settings = {**run.settings(), "training time": f"{seconds:.1f} s", "test loss": f"{loss:.4f}"}
    table = "".join(f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in settings.items())
    versions = html.escape("\n".join(lines()))
    page = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(run.options.model)} on {html.escape(run.options.data)}</title><style>{STYLE}</style>
<h1>{html.escape(run.options.model)} on {html.escape(run.options.data)}</h1>
<p class="soft">{len(run.data.train):,} pictures trained on, {len(labels):,} tested</p>
<p><span class="big">{100 * accuracy:.1f} %</span> of the test pictures right</p>
<h2>Learning</h2><div class="row">{curve("Loss, by epoch", losses)}{curve("Accuracy, by epoch", rates, percent=True)}</div>
<h2>Confusion matrix</h2><p class="soft">A row is the true class, a column what the network said.</p>
{confusion(labels, guesses, classes)}
<h2>The worst mistakes</h2>{mistakes(run.data.test, scores, labels, classes)}
<h2>Settings</h2><table class="settings">{table}</table><pre class="soft">{versions}</pre></html>
"""
    path = Path(run.out) / "report.html"
    write_atomically(path, page)
    return path
