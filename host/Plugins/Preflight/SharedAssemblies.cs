using System.Reflection;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>
/// The assemblies that host and plugins have in common: the contracts and all that they refer to. A copy of one in a plugin's folder would
/// be a stranger to the host: its attributes are not the host's attributes, so that nothing is exported and nothing is said.
/// </summary>
internal sealed class SharedAssemblies
{
    private const string Composition = "System.Composition.";

    private readonly Dictionary<string, Version> _versions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _boundary = new(StringComparer.Ordinal);

    private SharedAssemblies(Assembly contracts) => Add(contracts);

    /// <summary>Those of this process.</summary>
    public static SharedAssemblies Host { get; } = new(typeof(IEndpointFactory).Assembly);

    public IEnumerable<string> Names => _versions.Keys;

    /// <summary>The host's version; null when it is not shared.</summary>
    public Version? Find(string name) => _versions.GetValueOrDefault(name);

    /// <summary>Whether a plugin must not bring an assembly of this name.</summary>
    public bool Owns(string name) => _versions.ContainsKey(name) || name.StartsWith(Composition, StringComparison.Ordinal);

    /// <summary>Whether it belongs to .NET and its types are part of the contracts.</summary>
    public bool IsBoundary(string name) => _boundary.Contains(name);

    /// <summary>Whether what was built against <paramref name="wanted"/> runs with what the host has: same major, not newer.</summary>
    public static bool Fits(Version wanted, Version host) => wanted.Major == host.Major && wanted <= host;

    private void Add(Assembly assembly)
    {
        _versions[assembly.GetName().Name!] = assembly.GetName().Version!;
        foreach (var reference in assembly.GetReferencedAssemblies())
        {
            if (FrameworkAssemblies.Has(reference.Name!)) _boundary.Add(reference.Name!);
            else if (!_versions.ContainsKey(reference.Name!)) Add(Assembly.Load(reference));
        }
    }
}
