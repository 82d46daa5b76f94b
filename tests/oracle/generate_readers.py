"""Statements of readers, for random programs."""

ERRORS = ('E1', 'E2')


class Readers:
    def text(self):
        return ''.join(self.r.choices('ab/;', [3, 3, 2, 1], k=self.r.choice([1, 2, 3, 4, 6, 9])))

    def reading(self, depth, *words):
        """A read, mostly with what may come of it caught."""
        if self.chance(0.3):
            self.bounded(depth, *words)
            return
        self.emit(depth, 'try')
        self.bounded(depth + 1, *words)
        self.emit(depth, 'except', self.r.choice(['any', 'any', 'INCOMPLETE', 'LIMIT', 'BUSY']))
        self.emit(depth, 'end')

    def a_read(self, depth, *_):
        self.reading(depth, 'read', self.one_of('reader'), self.r.randint(1, 6))

    def a_read_exactly(self, depth, *_):
        self.reading(depth, 'read_exactly', self.one_of('reader'), self.r.randint(1, 12))

    def a_read_line(self, depth, *_):
        self.reading(depth, 'read_line', self.one_of('reader'))

    def a_read_until(self, depth, *_):
        separators = self.r.sample(['/', ';', 'ab', ';/', 'b;', 'aab', 'bb'], self.r.choice([1, 1, 2, 3]))
        self.reading(depth, 'read_until', self.one_of('reader'), *separators)

    def a_wait_for_read(self, depth, *_):
        words = 'wait_for_read', self.time(200_000), self.one_of('reader'), self.r.randint(1, 6)
        self.caught(depth, self.r.choice(['TIMEOUT', 'any']), *words)

    def a_lines(self, depth, group, returns):
        before, self.looping = self.looping, True
        self.emit(depth, 'lines', self.one_of('reader'), self.r.randint(1, 4))
        self.body(depth + 1, self.r.randint(0, 2), None, returns)
        self.emit(depth, 'end')
        self.looping = before

    def a_feed(self, depth, *_):
        self.caught(depth, 'STATE', 'feed', self.one_of('reader'), self.text())

    def a_feed_eof(self, depth, *_):
        self.emit(depth, 'feed_eof', self.one_of('reader'))

    def a_fail_reader(self, depth, *_):
        self.emit(depth, 'fail_reader', self.one_of('reader'), self.r.choice(ERRORS))

    def a_at_eof(self, depth, *_):
        self.emit(depth, 'at_eof', self.one_of('reader'))

    def a_buffered(self, depth, *_):
        self.emit(depth, 'buffered', self.one_of('reader'))

    def a_reader_error(self, depth, *_):
        self.emit(depth, 'reader_error', self.one_of('reader'))
