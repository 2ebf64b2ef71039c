"""What the data is: an Arrow schema for each kind of row, and a typed record for each JSON file.

Every column and every member has a description. Those of columns travel with the data as field metadata, so that a parquet
file explains itself.
"""
