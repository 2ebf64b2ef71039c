"""Which rows stay. A module a rule: one function scores a batch, one decides and gives a reason for each row that goes."""
