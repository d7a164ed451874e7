using System.Globalization;
using System.Net;
using System.Text;
using NicHost.Contracts.Options;
using NicHost.Dio.Shape;

namespace NicHost.Dio.Options;

/// <summary>The options after all words in them have been understood.</summary>
internal sealed record DioSettings
{
    /// <summary>IFNAMSIZ without the terminator.</summary>
    private const int MaxName = 15;
    private const int MaxSocketPath = 107;

    public required SwitchOptions? Switch { get; init; }

    public required IReadOnlyList<HostAddress> Addresses { get; init; }

    public required NicOptions Nic { get; init; }

    public required PortOptions Port { get; init; }

    /// <summary>Whether the port is ours to make and to undo.</summary>
    public bool MakesPort => Switch is not null && (Port.Create || Nic.Create);

    /// <summary>Reads the options; every fault goes into <paramref name="faults"/>, and the result then is not to be used.</summary>
    public static DioSettings Read(DioOptions options, IKernel kernel, ICollection<OptionFault> faults)
    {
        kernel.Check(options, faults);
        return new DioSettings
        {
            Switch = options.Switch,
            Addresses = ReadAddresses(options.Switch, faults),
            Nic = options.Nic,
            Port = options.Port,
        };
    }

    internal static void CheckLinux(DioOptions options, ICollection<OptionFault> faults)
    {
        var (nic, port) = (options.Nic, options.Port);
        if (nic.Name is { } name) CheckName("$.nic.name", name, faults);
        else if (!nic.IsPassed) faults.Add(new OptionFault("$.nic", "No TAP is named.", "Give \"name\", the TAP that was made for this NIC, or set \"passed\": true to have one passed."));
        if (nic.IsPassed) CheckPassed(nic, faults);
        if (options.Switch is { } wanted)
        {
            CheckName("$.switch.name", wanted.Name, faults);
            if (wanted.Name == nic.Name) faults.Add(new OptionFault("$.switch.name", $"\"{wanted.Name}\" is the NIC's name too.", "Give the two different names."));
            if (wanted is { Type: SwitchType.OpenVSwitch, Create: true })
                faults.Add(new OptionFault("$.switch.create", "An Open vSwitch bridge is not made here.", $"Make it once: ovs-vsctl add-br {wanted.Name}"));
            if (wanted is { Create: false, Addresses.Count: > 0 })
                faults.Add(new OptionFault("$.switch.addresses", "A switch that is not made here keeps its addresses.", $"Set \"create\": true, or: ip address add {wanted.Addresses[0]} dev {wanted.Name}"));
            if (wanted is { Create: true } && !nic.Create && !port.Create)
                faults.Add(new OptionFault("$.switch.create", "A switch is made, but nothing is plugged into it.", "Set \"create\" of \"nic\" or of \"port\" too."));
        }
        else if (port.Create) faults.Add(new OptionFault("$.port.create", "There is no switch to make a port of.", "Name one: \"switch\": { \"name\": \"br0\" }."));
        if (port.Id is not null) faults.Add(new OptionFault("$.port.id", "Ports have ids on Windows only.", "Remove it: the TAP's name is the port's."));
        CheckVlans(options, faults);
    }

    internal static void CheckWindows(DioOptions options, ICollection<OptionFault> faults)
    {
        var (wanted, port) = (options.Switch, options.Port);
        if (wanted?.Name.Length == 0) faults.Add(new OptionFault("$.switch.name", "A switch's name is empty.", "Name one, or leave out \"switch\" for the Default Switch."));
        if (wanted?.Create == true) faults.Add(new OptionFault("$.switch.create", "Virtual switches are not made here.", "Make it with New-VMSwitch, or remove \"create\"."));
        if (wanted?.Type == SwitchType.OpenVSwitch) faults.Add(new OptionFault("$.switch.type", "There is no Open vSwitch bridge by name on Windows.", "Remove it."));
        if (wanted?.Addresses.Count > 0) faults.Add(new OptionFault("$.switch.addresses", "A virtual switch's addresses are the management stack's.", "Set them there, with New-NetIPAddress."));
        if (options.Nic.IsPassed) faults.Add(new OptionFault($"$.nic.{Way(options.Nic)}", "Descriptors are passed on Linux only.", "Remove it."));
        if (port.Id is { } id && !Guid.TryParse(id, out _)) faults.Add(new OptionFault("$.port.id", $"\"{id}\" is not an id.", "Write it as 8-4-4-4-12 hexadecimal digits."));
        if (port is { Id: not null, Create: true }) faults.Add(new OptionFault("$.port.create", "A port that has an id is there already.", "Remove \"create\" or \"id\"."));
        if (port.Vlan is not null || port.TaggedVlans.Count > 0) faults.Add(new OptionFault("$.port.vlan", "A port's VLANs are the management stack's on Windows.", "Set them there, with Set-VMNetworkAdapterVlan."));
        if (port.Isolated || !port.Learning) faults.Add(new OptionFault("$.port", "A virtual switch's ports are not isolated and do not learn by options of ours.", "Remove \"isolated\" and \"learning\"."));
    }

    private static void CheckPassed(NicOptions nic, ICollection<OptionFault> faults)
    {
        if (nic.Name is not null) faults.Add(new OptionFault($"$.nic.{Way(nic)}", "A TAP is named and one is to be passed.", $"Keep \"name\" or \"{Way(nic)}\"."));
        if (nic.Create) faults.Add(new OptionFault("$.nic.create", "A TAP that is passed is not made here.", $"Remove \"create\" or \"{Way(nic)}\"."));
        if (nic.Socket is { } socket && Encoding.UTF8.GetByteCount(socket) > MaxSocketPath)
            faults.Add(new OptionFault("$.nic.socket", $"A socket's path has at most {MaxSocketPath} bytes.", "Choose a shorter path, for example in /run."));
    }

    private static string Way(NicOptions nic) => nic.Socket is null ? "passed" : "socket";

    private static void CheckVlans(DioOptions options, ICollection<OptionFault> faults)
    {
        var port = options.Port;
        for (var i = 0; i < port.TaggedVlans.Count; i++)
        {
            if (port.TaggedVlans[i] is 0 or > 4094) faults.Add(new OptionFault($"$.port.taggedVlans[{i}]", $"{port.TaggedVlans[i]} is not a VLAN.", "Use 1 to 4094."));
        }
        var isSet = port.Vlan is not null || port.TaggedVlans.Count > 0 || port.Isolated || !port.Learning;
        var makes = options.Switch is not null && (port.Create || options.Nic.Create);
        if (isSet && !makes) faults.Add(new OptionFault("$.port", "A port that is not made here keeps its settings.", "Set \"create\": true, or set them with \"bridge link\" and \"bridge vlan\"."));
        if (options.Switch?.Type == SwitchType.OpenVSwitch && (port.Isolated || !port.Learning))
            faults.Add(new OptionFault("$.port", "Open vSwitch has no isolated ports and no learning per port.", "Use its flows for that, and remove \"isolated\" and \"learning\"."));
    }

    private static void CheckName(string path, string name, ICollection<OptionFault> faults)
    {
        var bytes = Encoding.UTF8.GetByteCount(name);
        if (bytes > MaxName) faults.Add(new OptionFault(path, $"\"{name}\" has {bytes} bytes.", $"Interface names have at most {MaxName}."));
        // dev_valid_name of the kernel; % would be a pattern, and a dash in front an option of the tools that get the name.
        else if (bytes == 0 || name[0] == '-' || name is "." or ".." || name.AsSpan().ContainsAny("/:%") || name.Any(char.IsWhiteSpace) || name.Any(char.IsControl))
            faults.Add(new OptionFault(path, $"\"{name}\" cannot be an interface's name.", "Use letters, digits, dashes and dots; not a dash in front."));
    }

    private static List<HostAddress> ReadAddresses(SwitchOptions? options, ICollection<OptionFault> faults)
    {
        var addresses = new List<HostAddress>();
        for (var i = 0; i < (options?.Addresses.Count ?? 0); i++)
        {
            var text = options!.Addresses[i];
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            if (slash > 0 && IPAddress.TryParse(text.AsSpan(0, slash), out var address)
                && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits >= 1 && bits <= address.GetAddressBytes().Length * 8)
                addresses.Add(new HostAddress(address, bits));
            else faults.Add(new OptionFault($"$.switch.addresses[{i}]", $"\"{text}\" is not an address with its prefix.", "Write 192.0.2.1/24 or 2001:db8::1/64."));
        }
        return addresses;
    }
}

/// <summary>An address of the host and the bits of its network.</summary>
internal sealed record HostAddress(IPAddress Address, int Prefix);
