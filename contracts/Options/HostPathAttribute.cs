namespace NicHost.Contracts.Options;

/// <summary>
/// Marks an option, a text or a list of texts, as a path on the host. A relative one starts from the folder of the topology file that it
/// stands in, and goes on doing so when files are merged. An empty path is a fault. Since 1.1.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HostPathAttribute : Attribute;
