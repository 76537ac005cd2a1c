"""Things that happen a little later: receipts, repeated callbacks. A few threads, one heap, stopped at once."""

import heapq
import itertools
import time
from collections.abc import Callable
from threading import Condition, Thread

WORKERS = 4


class Later:
    """Runs each job at its time; what is still waiting when it stops is dropped."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._changed = Condition()
        self._stopping = False
        self._threads: list[Thread] = []

    def start(self) -> None:
        self._threads = [Thread(target=self._work, name=f"viber-later-{n}", daemon=True) for n in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._due.clear()
            self._changed.notify_all()

    def run(self, seconds: float, job: Callable[[], object]) -> None:
        with self._changed:
            if not self._stopping:
                heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), job))
                # Sleepers wait on the same condition: a single wake-up could go to the wrong thread.
                self._changed.notify_all()

    def sleep(self, seconds: float) -> bool:
        """Waits, unless the simulator stops; says whether the whole time passed."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._stopping, seconds)

    def _work(self) -> None:
        while job := self._next():
            job()

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._stopping:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None
