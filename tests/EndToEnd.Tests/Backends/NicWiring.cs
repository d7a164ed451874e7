namespace NicHost.EndToEnd.Tests.Backends;

/// <summary>What a topology says of the NIC, as far as a test changes it while the guest runs.</summary>
internal sealed record NicWiring
{
    private static readonly string[] BaseForwards =
        ["tcp:10.99.0.2:2222-22", "tcp:[fd99::2]:2222-22", "udp:10.99.0.2:5353-53", "udp:[fd99::2]:5353-53"];

    public bool IsLinkUp { get; init; } = true;

    /// <summary>Port forwards beside those that every test has.</summary>
    public IReadOnlyList<string> MoreForwards { get; init; } = [];

    /// <summary>A name that the NAT answers itself, and its address.</summary>
    public (string Name, string Address)? Record { get; init; }

    /// <summary>Another kind of endpoint in the NAT's place.</summary>
    public string? OtherEndpoint { get; init; }

    /// <summary>The topology's <c>endpoint</c> object.</summary>
    public string Endpoint
    {
        get
        {
            if (OtherEndpoint is { } kind)
                return $$"""{ "kind": "{{kind}}" }""";
            var forwards = string.Join(", ", BaseForwards.Concat(MoreForwards).Select(f => $"\"{f}\""));
            var records = Record is var (name, address) ? $$"""{ "name": "{{name}}", "value": "{{address}}" }""" : "";
            return $$"""{ "kind": "consomme", "hostLoopback": true, "forwards": [{{forwards}}], "dns": { "records": [{{records}}] } }""";
        }
    }
}
