using System.Net;
using NicHost.Consomme.Options;

namespace NicHost.Consomme.Dns;

/// <summary>The host's resolver configuration (resolv.conf(5)), read anew as it changes.</summary>
internal sealed class ResolvConf(string path)
{
    public const string DefaultPath = "/etc/resolv.conf";
    private const int CheckMilliseconds = 2000;
    private const int MaxServers = 8;
    private long _checkedAt = long.MinValue;
    private string? _text;

    public IReadOnlyList<IPEndPoint> Servers { get; private set; } = [];

    public string[] Search { get; private set; } = [];

    /// <summary>Looks at the file, at most every two seconds. It is small, and comparing its text misses no change, however it was made.</summary>
    /// <returns>True when the content is new.</returns>
    public bool Refresh(long nowMilliseconds)
    {
        if (_checkedAt != long.MinValue && nowMilliseconds - _checkedAt < CheckMilliseconds) return false;
        _checkedAt = nowMilliseconds;
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is away while somebody replaces it: what was known still holds.
            if (_text is not null) return false;
            text = "";
        }
        if (text == _text) return false;
        _text = text;
        Read(text);
        return true;
    }

    private void Read(string text)
    {
        var servers = new List<IPEndPoint>();
        string[] search = [];
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || words[0][0] is '#' or ';') continue;
            switch (words[0])
            {
                case "nameserver" when servers.Count < MaxServers && IPAddress.TryParse(words[1], out var address):
                    servers.Add(new IPEndPoint(address, 53));
                    break;
                case "search" or "domain":
                    search = [.. words.Skip(1).Where(DomainText.IsName).Select(DomainText.Canonical)];
                    break;
            }
        }
        // Without any, resolvers ask the host itself.
        if (servers.Count == 0) servers.Add(new IPEndPoint(IPAddress.Loopback, 53));
        Servers = servers;
        Search = search;
    }
}
