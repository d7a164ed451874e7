// Each test builds projects or runs a host: one after the other, on the few cores there are.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
