"""`pdx benchmark`."""

from __future__ import annotations

import click

from pdx_core.cli import completing
from pdx_core.cli.options import device_option, echo_json, json_option


@click.command()
@click.argument("model_dir", shell_complete=completing.folders)
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    metavar="NAME",
    shell_complete=completing.runtimes,
    help="Only this one; may be repeated.",
)
@click.option("--batch-size", "batch_sizes", multiple=True, type=click.IntRange(1), default=(1,), show_default=True,
              metavar="N", help="May be repeated.")  # fmt: skip
@click.option("--runs", type=click.IntRange(3), default=100, show_default=True, help="Timed runs; less after 10 s.")
@click.option("--warmup", type=click.IntRange(0), default=10, show_default=True, help="Runs before that do not count.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Threads of the CPU math library.")
@device_option
@json_option
def benchmark(
    model_dir: str,
    runtimes: tuple[str, ...],
    batch_sizes: tuple[int, ...],
    runs: int,
    warmup: int,
    threads: int | None,
    device: str,
    as_json: bool,
) -> None:
    """Time the network of an exported model, without reading or preparing images, in every runtime.

    Each runtime runs in a process of its own. The largest difference is that from the runtime `paddle`; lower precision
    shows there.
    """
    from pdx_core.runtimes.timing import time_runtimes

    rows = time_runtimes(model_dir, runtimes, batch_sizes, runs=runs, warmup=warmup, threads=threads, device=device)
    if as_json:
        echo_json(rows)
        return
    click.echo(f"{'runtime':<20}{'batch':>6}{'mean ms':>10}{'p50':>9}{'p99':>9}{'images/s':>10}{'difference':>12}")
    for row in rows:
        if row["error"]:
            click.echo(f"{row['runtime']:<20}{row['batch_size']:>6}  {row['error']}")
            continue
        difference = "-" if row["max_difference"] is None else f"{row['max_difference']:.1e}"
        click.echo(
            f"{row['runtime']:<20}{row['batch_size']:>6}{row['mean_ms']:>10.2f}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}"
            f"{row['images_per_second']:>10.1f}{difference:>12}"
        )
