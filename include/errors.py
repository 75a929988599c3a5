"""The exception tree, grouped by what a caller does about it.

```
PipelineError
├── PermanentError             trying again changes nothing: fail now
│   ├── ConfigurationError     a setting, spec, connection or parameter is wrong
│   ├── LimitExceededError     something is larger than what it must fit in
│   ├── AccountError           the API refuses the account: key, credit or spend limit
│   ├── LedgerStateError       the ledger says something that this code must not act on
│   └── CountMismatchError     the counts of a night do not add up
└── TransientError             trying again may help
    ├── LedgerConflictError    somebody else changed an entry first
    ├── ResultsIncompleteError a result file does not agree with its batch yet
    ├── WriteRefusedError      a conditional write found another state than it expected
    └── StorageUnavailableError  the work bucket could not be read or written
```
"""


class PipelineError(Exception):
    """Anything the pipeline reports on purpose."""


class PermanentError(PipelineError):
    """Trying again changes nothing."""


class ConfigurationError(PermanentError):
    """A setting, spec, connection or parameter is wrong."""


class LimitExceededError(PermanentError):
    """Something is larger than what it must fit in."""


class BudgetError(PermanentError):
    """A run would cost more than its budget, and its spec says that nobody is to be asked."""


class AccountError(PermanentError):
    """The API refuses the account: its key, its credit or its spend limit."""


class LedgerStateError(PermanentError):
    """The ledger says something that this code must not act on."""


class CountMismatchError(PermanentError):
    """The counts of a night do not add up."""


class TransientError(PipelineError):
    """Trying again may help."""


class LedgerConflictError(TransientError):
    """Somebody else changed a ledger entry first."""


class ResultsIncompleteError(TransientError):
    """A result file does not agree with its batch yet."""


class WriteRefusedError(TransientError):
    """A conditional write found the key in another state than it expected."""


class StorageUnavailableError(TransientError):
    """The work bucket could not be read or written; whether a write landed is unknown."""
