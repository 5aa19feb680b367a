"""What commands may reach: files they may write and read, and the network; one file a method."""
