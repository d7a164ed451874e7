using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NicHost.Consomme.Core;
using NicHost.Contracts.Options;

namespace NicHost.Consomme.Options;

/// <summary>One name that is answered without asking a server. Names are lower case, without a final dot.</summary>
internal sealed record StaticRecord(string Name, DnsRecordType Type, IpAddr Address, string? Target, uint Ttl);

/// <summary>The DNS options, understood.</summary>
internal sealed record DnsSettings
{
    public required IReadOnlyList<IPEndPoint> Servers { get; init; }

    public required IReadOnlyList<StaticRecord> Records { get; init; }

    public required string[] Search { get; init; }

    public required string? Domain { get; init; }

    public static DnsSettings Read(DnsOptions options, ICollection<OptionFault> faults)
    {
        var servers = new List<IPEndPoint>();
        for (var i = 0; i < options.Servers.Count; i++)
        {
            if (TryServer(options.Servers[i], out var server)) servers.Add(server);
            else faults.Add(new OptionFault($"$.dns.servers[{i}]", $"\"{options.Servers[i]}\" is not an address.", "Write 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 or [2001:db8::1]:5353."));
        }
        for (var i = 0; i < options.Search.Count; i++)
        {
            if (!DomainText.IsName(options.Search[i]))
                faults.Add(new OptionFault($"$.dns.search[{i}]", $"\"{options.Search[i]}\" is not a domain.", "Write it as example.org."));
        }
        if (options.Domain is { } domain && !DomainText.IsName(domain))
            faults.Add(new OptionFault("$.dns.domain", $"\"{domain}\" is not a domain.", "Write it as example.org."));
        var records = new List<StaticRecord>();
        for (var i = 0; i < options.Records.Count; i++) ReadRecord(options.Records[i], $"$.dns.records[{i}]", records, faults);
        return new DnsSettings
        {
            Servers = servers,
            Records = records,
            Search = [.. options.Search.Select(DomainText.Canonical)],
            Domain = options.Domain is null ? null : DomainText.Canonical(options.Domain),
        };
    }

    private static void ReadRecord(DnsRecordOptions record, string path, List<StaticRecord> records, ICollection<OptionFault> faults)
    {
        var before = faults.Count;
        var address = AddressText.TryParse(record.Value, out var parsed) ? IpAddr.From(parsed) : (IpAddr?)null;
        var type = record.Type ?? (address is null ? DnsRecordType.CNAME : address.Value.IsV4 ? DnsRecordType.A : DnsRecordType.AAAA);
        if (!DomainText.IsName(record.Name))
            faults.Add(new OptionFault($"{path}.name", $"\"{record.Name}\" is not a name.", "Use parts of 1 to 63 characters with dots between, at most 253 in all."));
        switch (type)
        {
            case DnsRecordType.A when address is not { IsV4: true }:
                faults.Add(new OptionFault($"{path}.value", $"\"{record.Value}\" is not an IPv4 address.", "Give one, or change the type."));
                break;
            case DnsRecordType.AAAA when address is not { IsV4: false }:
                faults.Add(new OptionFault($"{path}.value", $"\"{record.Value}\" is not an IPv6 address.", "Give one, or change the type."));
                break;
            case DnsRecordType.CNAME or DnsRecordType.PTR when address is not null || !DomainText.IsName(record.Value):
                faults.Add(new OptionFault($"{path}.value", $"\"{record.Value}\" is not a name.", "Give a name, or change the type."));
                break;
        }
        if (faults.Count > before) return;
        var target = type is DnsRecordType.CNAME or DnsRecordType.PTR ? DomainText.Canonical(record.Value) : null;
        records.Add(new StaticRecord(DomainText.Canonical(record.Name), type, address ?? default, target, (uint)record.Ttl));
    }

    /// <summary>Reads an address with an optional port.</summary>
    public static bool TryServer(string text, out IPEndPoint server)
    {
        server = new IPEndPoint(IPAddress.Any, 53);
        if (AddressText.TryParse(text, out var bare))
        {
            server = new IPEndPoint(bare, 53);
            return true;
        }
        var colon = text.LastIndexOf(':');
        if (colon < 0) return false;
        var host = text.AsSpan(0, colon);
        var bracketed = host.Length > 2 && host[0] == '[' && host[^1] == ']';
        if (!AddressText.TryParse(bracketed ? host[1..^1] : host, out var address)
            || (address.AddressFamily == AddressFamily.InterNetworkV6) != bracketed
            || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return false;
        server = new IPEndPoint(address, port);
        return true;
    }
}

/// <summary>Domain names as text (RFC 1035 2.3; underscores, which service names use, are let through).</summary>
internal static class DomainText
{
    public static bool IsName(string text)
    {
        var name = text.EndsWith('.') ? text[..^1] : text;
        return name.Length is > 0 and <= 253 && name.Split('.').All(IsLabel);
    }

    public static string Canonical(string text) => (text.EndsWith('.') ? text[..^1] : text).ToLowerInvariant();

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') && label[0] != '-' && label[^1] != '-';
}
