"""Tables of hardware facts that the package ships: Xids, and with them what the vendor says to do."""
