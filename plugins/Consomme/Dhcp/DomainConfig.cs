using NicHost.Consomme.Options;

namespace NicHost.Consomme.Dhcp;

/// <summary>What the guest is told about names: its own, its domain, and the domains to search. The host's where none are given.</summary>
internal sealed class DomainConfig(ConsommeSettings settings, Func<string[]> hostSearch)
{
    private readonly string[] _search = [.. settings.Dns.Search];
    private readonly string[] _own = settings.Dns.Domain is { } domain ? [domain] : [];

    public string? Hostname => settings.Hostname;

    public string? Domain => settings.Dns.Domain ?? (Search is [var first, ..] ? first : null);

    public string[] Search => _search.Length > 0 ? _search : _own.Length > 0 ? _own : hostSearch();
}
