"""Which samples make up which batch, in every process.

The order depends on the seed and the epoch alone, so that (epoch, batch number) is all a resumed run has to know.
"""

from __future__ import annotations

import attrs
import numpy as np

# What a stream of random numbers is for; part of its key, so that no two purposes share numbers.
SAMPLE_STREAM, TENSOR_STREAM, BATCH_STREAM, ORDER_STREAM = range(4)


def random_stream(seed: int, epoch: int, index: int, purpose: int) -> np.random.Generator:
    """Random numbers that belong to one sample (or batch) of one epoch, whoever draws them and when."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch, index, purpose))))


@attrs.frozen(kw_only=True)
class BatchOrder:
    """The batches of one process.

    Training (shuffle or drop_last): the samples are cut into global batches of batch_size * world_size, and each
    process takes its slice of every one, so that W processes with batch B see what one process with batch W * B sees.
    The last, smaller one is dropped by `drop_last` (unless it is the only one), else divided evenly; processes for
    which nothing is left take samples from the start of the epoch.
    Evaluation (neither): process r takes samples r, r + W, r + 2 W ...; every sample belongs to exactly one process.
    """

    count: int  # samples in the dataset
    batch_size: int  # per process
    shuffle: bool = False
    drop_last: bool = False
    seed: int = 0
    rank: int = 0
    world_size: int = 1

    @property
    def training(self) -> bool:
        return self.shuffle or self.drop_last

    def __len__(self) -> int:
        if not self.training:
            mine = len(range(self.rank, self.count, self.world_size))
            return -(-mine // self.batch_size)
        whole, rest = divmod(self.count, self.batch_size * self.world_size)
        return whole + (1 if rest and not (self.drop_last and whole) else 0)

    def batches(self, epoch: int, start: int = 0) -> list[np.ndarray]:
        """Sample indices of each batch of this process from number `start` on; int64 arrays."""
        order = np.arange(self.count)
        if self.shuffle:
            order = random_stream(self.seed, epoch, 0, ORDER_STREAM).permutation(self.count)
        if not self.training:
            mine = order[self.rank :: self.world_size]
            return [
                mine[at : at + self.batch_size] for at in range(start * self.batch_size, len(mine), self.batch_size)
            ]
        step = self.batch_size * self.world_size
        return [self._slice(order, number * step) for number in range(start, len(self))]

    def _slice(self, order: np.ndarray, at: int) -> np.ndarray:
        """This process's part of the global batch that starts at position `at`."""
        whole = order[at : at + self.batch_size * self.world_size]
        if len(whole) == self.batch_size * self.world_size:
            return whole[self.rank * self.batch_size : (self.rank + 1) * self.batch_size]
        if len(whole) < self.world_size:
            whole = np.concatenate([whole, np.resize(order, self.world_size - len(whole))])
        return np.array_split(whole, self.world_size)[self.rank]
