// The conformance suites count the process's descriptors: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
