using System.Runtime.Versioning;

// Descriptors are counted for the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: SupportedOSPlatform("linux")]
