// The conformance suite counts the process's descriptors: nothing else may open any meanwhile.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
