namespace NicHost.Host.Plugins.Preflight;

/// <summary>Name and version of an assembly. The rest of an assembly's name, such as a culture that no machine knows, decides nothing here.</summary>
internal readonly record struct AssemblyIdentity(string Name, Version Version);
