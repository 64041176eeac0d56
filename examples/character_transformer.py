"""A transformer that writes like Python's own licence, one character at a time.

The text is `license()` of the interpreter that runs the program. Two pre-norm blocks of width 64 with causal attention
over 64 characters (Vaswani et al. 2017). Leaves a picture of the loss, prints a sample.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import site  # noqa: F401  puts `license` among the builtins
from collections.abc import Iterator

import numpy as np
from program import arguments, clock, picture
from tqdm import tqdm

import zen
from zen import Tensor, f, nn

CONTEXT, WIDTH = 64, 64


def corpus() -> str:
    """The licence, without its paging."""
    printer = builtins.license
    printer._Printer__setup()
    text = "\n".join(printer._Printer__lines)
    if len(text) < 5000:  # an interpreter installed without the file: its own documentation instead
        import pydoc
        import string
        import textwrap

        buffer = io.StringIO()
        with contextlib.redirect_stdout(buffer):
            for module in (string, textwrap, contextlib, io):
                print(pydoc.plain(pydoc.render_doc(module)))
        text = buffer.getvalue()
    return text


class Writer(nn.Module):
    """Logits of the next character, for every place of a text: (batch, time) to (batch, time, characters)."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.characters = nn.Embedding(characters, WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                WIDTH, 4, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(2)
        )
        self.norm = nn.LayerNorm(WIDTH)
        self.out = nn.Linear(WIDTH, characters)

    def forward(self, text: np.ndarray) -> Tensor:
        time = text.shape[1]
        x = self.characters(text) + self.places(np.arange(time))
        for block in self.blocks:
            x = block(x, is_causal=True)
        return self.out(self.norm(x))


def batches(text: np.ndarray, size: int, steps: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(seed)
    windows = np.lib.stride_tricks.sliding_window_view(text, CONTEXT + 1)
    for _ in range(steps):
        chosen = windows[random.integers(0, len(windows), size)]
        yield chosen[:, :-1], chosen[:, 1:]


def write(model: Writer, start: np.ndarray, count: int, seed: int, temperature: float = 0.7) -> np.ndarray:
    """`start`, continued by `count` characters drawn from the model."""
    random = np.random.default_rng(seed)
    text = list(start)
    with zen.no_grad():
        for _ in range(count):
            logits = model(np.array([text[-CONTEXT:]]))[0, -1]
            p = f.softmax(logits / temperature).numpy().astype(float)
            text.append(random.choice(len(p), p=p / p.sum()))
    return np.array(text)


def main() -> None:
    chosen = arguments("A transformer that writes like Python's own licence.").parse_args()
    steps = 30 if chosen.quick else 1000
    zen.random.seed(chosen.seed)
    symbols, text = np.unique(np.array(list(corpus())), return_inverse=True)
    model = Writer(len(symbols))
    optimiser = zen.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = zen.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    losses = []
    count = sum(p.size for p in model.parameters())
    print(f"{len(text)} characters, {len(symbols)} different ones; {count} parameters")
    with clock(chosen):
        for given, following in tqdm(batches(text, 16 if chosen.quick else 32, steps, chosen.seed), total=steps):
            loss = f.cross_entropy(model(given), following)
            optimiser.zero_grad()
            loss.backward()
            zen.optim.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
    print(f"cross entropy of a character: {losses[0]:.3f} -> {np.mean(losses[-10:]):.3f}")
    print("".join(symbols[write(model, text[:20], 60 if chosen.quick else 400, chosen.seed)]))
    with picture(chosen, "character_transformer", figsize=(6.5, 3.8)) as axes:
        axes.plot(losses)
        axes.axhline(np.log(len(symbols)), color="k", linestyle=":", label="all characters alike")
        axes.set(xlabel="step", ylabel="cross entropy of a character", title="Learning to write a licence")
        axes.legend()


if __name__ == "__main__":
    main()
