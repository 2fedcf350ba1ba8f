"""Data that does not fit in memory: the base of objects that make one batch at a time."""


class Sequence:
    """The batches of an epoch by number. A subclass defines

        __len__()           the number of batches
        __getitem__(i)      batch i: (x, y) or (x, y, sample_weight)
        on_epoch_end()      if something is to happen after each epoch

    fit takes the batches in a new order in each epoch, unless shuffle=False. workers, use_multiprocessing and
    max_queue_size are accepted; batches are made in the thread that trains.
    """

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index) -> (x, y)")

    def __len__(self):
        raise NotImplementedError(f"{type(self).__name__} must define __len__() -> number of batches")

    @property
    def num_batches(self):
        return len(self)

    def on_epoch_begin(self):
        """Before each epoch."""

    def on_epoch_end(self):
        """After each epoch."""

    def __iter__(self):
        return (self[i] for i in range(len(self)))


PyDataset = Sequence
