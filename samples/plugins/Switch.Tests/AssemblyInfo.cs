// Threads that race are part of these tests: one test at a time, so that others do not take their cores.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
