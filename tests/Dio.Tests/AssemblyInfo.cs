// The conformance suite counts the process's descriptors, and tests look at records in one folder: nothing else may run meanwhile.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
