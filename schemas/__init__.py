"""What the data is: one Arrow schema a module, a description a column.

The descriptions travel with the data as field metadata, so a parquet file explains itself.
"""
