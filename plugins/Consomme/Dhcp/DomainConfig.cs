using NicHost.Consomme.Core;
using NicHost.Consomme.Options;

namespace NicHost.Consomme.Dhcp;

/// <summary>What the guest is told about names: its own, its domain, and the domains to search. The host's where none are given.</summary>
internal sealed class DomainConfig(NatContext context, Func<string[]> hostSearch)
{
    private DnsSettings Dns => context.Model.Dns;

    public string? Hostname => context.Model.Hostname;

    public string? Domain => Dns.Domain ?? (Search is [var first, ..] ? first : null);

    public string[] Search => Dns.Search.Length > 0 ? Dns.Search : Dns.Domain is { } domain ? [domain] : hostSearch();
}
