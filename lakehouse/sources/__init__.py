"""Sources that are asked (抽取) rather than deliver: a table of a database, an endpoint of pages.

Whatever they answer becomes a delivery by the contract (docs/deliveries.md), and lands so.
"""
