"""Middles of several lines: whole statements from a fresh line to where the kind says that they end."""

from dataclasses import replace

import pytest

from schemas.example import MULTI_LINE
from transforms.split.multi_line import MultiLineLimits
from transforms.split.site import Site
from transforms.split.syntax import ParsedFile

WIDE = MultiLineLimits(max_lines=200, max_chars=20_000, newline_in_middle_share=0.0)

# (file, text on the row that is asked, first line of the middle, last line of it, stop reason)
BLOCK_BODIES = [
    ("InvoiceService.java", "percent = years > 5", "percent = years > 5", "case OPEN: >> break;", "dedent"),
    ("InvoiceService.java", "text.isBlank()", "text.isBlank()", "result.add(new Line", "dedent"),
    ("InvoiceService.java", "private int sent", "private int sent", "log(String.format >> });  >> }", "dedent"),
    ("InvoiceService.java", "log(String.format", "if (id == number) {", "log(String.format >> }", "dedent"),
    ("OrdersController.cs", "return _served > 100", "lock (_store)", "return _served > 100 >> }", "dedent"),
    ("OrdersController.cs", "_store.Save(order)", "_store.Save(order)", "_store.Save >> break;", "dedent"),
    ("OrdersController.cs", "await _store.FindAsync", "await _store.FindAsync", "return order;", "dedent"),
    ("Router.php", "$result = $handler", "$result = $handler", "return new Response(200", "dedent"),
    ("Router.php", "Nothing at", "return $this->failure(404, <<<TEXT", "Nothing at >> TEXT);", "dedent"),
    ("Router.php", "$reason = 'Not Found'", "$reason = 'Not Found'", "$reason = 'Not Found' >> break;", "dedent"),
    ("config.rs", "Ok(text) => text,", "Ok(text) => text,", "Err(error) => return Err", "dedent"),
    ("config.rs", "let shown", "let shown", 'write!(f, "{shown}', "dedent"),
    ("config.rs", "eprintln!", "eprintln!", "eprintln! >> 8080", "dedent"),
    ("config.rs", "use super::*;", "use super::*;", "TEMPLATE.contains >> }", "dedent"),
    ("importer.rb", "@errors << e.message", "@errors << e.message", "false", "dedent"),
    ("importer.rb", 'log(:info, "imported', 'log(:info, "imported', 'log(:info, "imported >> true', "dedent"),
    ("importer.rb", "@store.execute(SQL", "@store.execute(SQL", "@count += 1", "dedent"),
    ("importer.rb", "started = Process", "started = Process", "@count += 1 >> end >> end", "dedent"),
    ("importer.rb", "next", '@errors << "line', "next", "dedent"),
    ("job_scheduler.py", "entry = Entry(job", "entry = Entry(job", "return job", "dedent"),
    ("job_scheduler.py", "for entry in sorted", "return [", "for entry in sorted >> ]", "dedent"),
    ("job_scheduler.py", "scheduler = Scheduler()", "scheduler = Scheduler()", "asyncio.run(scheduler.run())", "eof"),
    ("job_scheduler.py", "def a job first", "log.error(", "def a job first >> return", "dedent"),
    ("ledger.ts", "account: string;", "account: string;", "memo?: string;", "dedent"),
    ("ledger.ts", "const [whole, cents]", "const [whole, cents]", "const [whole, cents] >> return `", "dedent"),
    ("ledger.ts", '"ROLLBACK"', '"ROLLBACK"', "throw error;", "dedent"),
    ("lru_cache.hpp", "++misses_;", "++misses_;", "return std::nullopt;", "dedent"),
    ("lru_cache.hpp", "++count;", "++count;", "return static_cast<char>", "dedent"),
    ("lru_cache.hpp", "entries_.pop_back", "index_.erase(entries_", "entries_.pop_back", "dedent"),
    ("orders_table.tsx", "const count = order", "const count = order", "money.format >> );", "dedent"),
    ("orders_table.tsx", "setKey(name);", "setKey(name);", "window.scrollTo", "dedent"),
    ("ring_buffer.c", "static int warned;", "static int warned;", "length = 4; >> break;", "dedent"),
    ("ring_buffer.c", "size_t size, head, tail;", "uint8_t *data;", "pthread_mutex_t lock; >> #endif", "dedent"),
    ("server.go", "s.mu.Lock()", "table, err := s.source.Load", "s.mu.Unlock()", "dedent"),
    ("server.go", "source loader", "mu     sync.RWMutex", "done   chan struct{}", "dedent"),
    ("server.go", "usage, http.StatusBadRequest", "usage, http.StatusBadRequest", "usage, http >> return", "dedent"),
    ("settings_panel.jsx", "setSettings(user.settings)", "setSettings(user.settings)", "setSettings(user >> onClose();", "dedent"),
    ("settings_panel.jsx", "event.returnValue", "event.preventDefault", "event.returnValue", "dedent"),
    ("upload_queue.js", "this.active.delete", "this.active.delete", "return true;", "dedent"),
    ("upload_queue.js", "console.error(event.error)", "console.error(event.error)", "setTimeout(() => queue", "dedent"),
]

RESTS_OF_BLOCKS = [
    ("InvoiceService.java", "String[] parts", "String[] parts", "result.add(new Line", "dedent"),
    ("InvoiceService.java", "sent++;", "sent++;", "log(String.format >> });", "dedent"),
    ("OrdersController.cs", "Served?.Invoke", "Served?.Invoke", "return order;", "dedent"),
    ("OrdersController.cs", "public enum State", "public enum State", "Sent = 4, >> }", "dedent"),
    ("Router.php", "$object = $this->container", "$object = $this->container", "return fn (Request", "dedent"),
    ("Router.php", "private function failure", "private function failure", "'retry' => $retry]); >> }", "dedent"),
    ("config.rs", "Err(error) if error.kind()", "Err(error) if error.kind()", "Err(error) => return Err", "dedent"),
    ("config.rs", "values.insert(", "values.insert(", "Layer::File { line: index + 1 }), >> );", "dedent"),
    ("config.rs", "#[cfg(test)]", "#[cfg(test)]", "TEMPLATE.contains >> } >> }", "eof"),
    ("importer.rb", "@logger = logger", "@logger = logger", "@count = 0", "dedent"),
    ("importer.rb", "retry if", "retry if", "false", "dedent"),
    ("importer.rb", "begin", "begin", "importer.close >> end", "dedent"),
    ("job_scheduler.py", "# One task a job", "# One task a job", "raise error", "dedent"),
    ("job_scheduler.py", "self.entries[entry] = job", "self.entries[entry] = job", "return job", "dedent"),
    ("ledger.ts", "/** Postings of an account", "/** Postings of an account", "return postings; >> }", "dedent"),
    ("ledger.ts", "for (const { currency", "for (const { currency", "return sums as Amounts", "dedent"),
    ("lru_cache.hpp", "entries_.splice", "entries_.splice", "found->second->second", "null"),
    ("orders_table.tsx", "return String(a[key])", None, None, None),
    ("ring_buffer.c", "r->head = (r->head + 1)", None, None, None),
    ("ring_buffer.c", "unsigned closed : 1;", "unsigned closed : 1;", "pthread_mutex_t lock; >> #endif", "dedent"),
    ("server.go", "w.Header().Set(", "w.Header().Set(", 'fmt.Println("encode:" >> }', "dedent"),
    ("settings_panel.jsx", "window.addEventListener", "window.addEventListener", "return () => window", "dedent"),
    ("upload_queue.js", "// Windows refuses", "// Windows refuses", "return stem + extname", "dedent"),
    ("upload_queue.js", "await sleep(delay)", None, None, None),
]

# Every end that may be drawn.
SIBLINGS = [
    ("InvoiceService.java", "String text;", ["result.add(new Line >> }"], "never"),
    ("Router.php", "#[Pure]", ["return $this; >> }"], "newline"),
    ("config.rs", "Ok(text) => text,", ["Err(error) if error.kind()"], "newline"),
    ("importer.rb", "include Enumerable", ["ON CONFLICT DO NOTHING >> SQL", "attr_reader :errors"], "newline"),
    ("job_scheduler.py", "log = logging", ["Job = Callable"], "newline"),
    ("job_scheduler.py", "self.entries: dict", None, None),
    ("ledger.ts", "const known", ["await this.pool.query(`SELECT", "return known; >> }"], "newline"),
    ("lru_cache.hpp", "++hits_;", ["entries_.splice"], "newline"),
    ("server.go", "s.mu.RLock()", ["entry, ok :=", "s.mu.RUnlock()"], "newline"),
    ("server.go", "failures := make(chan", ["failures := make(chan"], "never"),
    ("upload_queue.js", "const { basename", ["const UNSAFE"], "newline"),
    ("upload_queue.js", "this.database = database;", ["this.options = {"], "newline"),
]


def middle(file: ParsedFile, row_with, first: str, last: str) -> str:
    """The text from the first visible byte of one line to the last one of another."""
    start = file.lines.first_visible(row_with(file, first))
    return file.content[start : file.lines.last_visible(row_with(file, last))].decode()


def text_of(file: ParsedFile, site: Site) -> str:
    return file.content[site.start : site.end].decode()
