// Two cores are shared by guest, host and servers: one guest at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
