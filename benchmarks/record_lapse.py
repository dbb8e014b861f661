"""Records a real run on a shipped sample for visitors who wait: `python -m benchmarks.record_lapse [SAMPLE]`.

Writes `lapse.json` beside the sample's rows: what the run measured, what its probes were answered with,
its settings, this machine and today's date. The run is a visitor's in all but one thing: its probes are
asked as often as they ever are.
"""

import sys
import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.runs import SAMPLES, Base, machine, open_base, sample, train
from demo.host import detect
from demo.methods import good_settings
from demo.training.recorded import FILE, load_recorded
from demo.training.run_folder import RunFolder
from demo.workspace import write_json

EPOCHS = 2
TOLD_SECONDS = 900.0
"""So long a run asks its probes as often as any."""


def main(name: str = "restaurants") -> None:
    """Train, write, read it back, and print its last answers."""
    base, data = open_base(), sample(name)
    with tempfile.TemporaryDirectory() as folder:
        settings = good_settings("lora", epochs=EPOCHS)
        run = train(base, data.info.name, data, settings, Path(folder), TOLD_SECONDS)
        write_json(SAMPLES / name / FILE, _record(run, base))
    recorded = load_recorded(SAMPLES / name / FILE)
    for probe, answer in zip(
        recorded.time_lapse.probes, recorded.time_lapse.answers[-1].answers, strict=True
    ):
        print(f"{probe.question}\n  -> {answer}")


def _record(run: RunFolder, base: Base) -> dict[str, Any]:
    """All that is kept of the run: plain values, no weights."""
    made, lapse = run.record(), run.time_lapse()
    told = ("settings", "dataset", "rows", "eval_rows", "seconds", "cpu_seconds", "versions")
    return {
        "recorded": date.today().isoformat(),
        "machine": f"{detect().name}, {machine()['cpu']}",
        "model": base.spec.title,
        **{name: made[name] for name in told},
        "steps": run.state().steps,
        "events": [{k: v for k, v in asdict(e).items() if v is not None} for e in run.events()],
        "probes": [asdict(probe) for probe in lapse.probes],
        "answers": [asdict(answers) for answers in lapse.answers],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
