using System.Globalization;
using NicHost.Contracts.Devices;

namespace NicHost.Virtio;

/// <summary>What a person types to attach a VMM.</summary>
internal static class Hints
{
    public static IReadOnlyList<AttachHint> For(DeviceContext context, VirtioOptions options, string path, int queues)
    {
        var qemu = new AttachHint("QEMU", Qemu(context, options, path, queues));
        // UML only connects; and it has one queue and no MAC of its own.
        return options.Mode == SocketRole.Server
            ? [qemu, new AttachHint("User Mode Linux", Quote($"virtio_uml.device={path}:1"))]
            : [qemu];
    }

    private static string Qemu(DeviceContext context, VirtioOptions options, string path, int queues)
    {
        var id = Id(context.Nic.Nic);
        // Commas separate QEMU's options: one in a value is doubled.
        var escaped = path.Replace(",", ",,", StringComparison.Ordinal);
        var socket = options.Mode == SocketRole.Server ? $"path={escaped},reconnect=1" : $"path={escaped},server=on,wait=off";
        var device = $"virtio-net-pci,netdev={id},mac={context.Mac}";
        if (context.Mtu != 1500) device += string.Create(CultureInfo.InvariantCulture, $",host_mtu={context.Mtu}");
        // One vector per ring, one for the configuration, one for the control queue.
        if (queues > 1) device += string.Create(CultureInfo.InvariantCulture, $",mq=on,vectors={(2 * queues) + 2}");
        var netdev = $"vhost-user,id={id},chardev={id}-socket" + (queues > 1 ? string.Create(CultureInfo.InvariantCulture, $",queues={queues}") : "");
        return $"-m 1G -object memory-backend-memfd,id={id}-ram,size=1G,share=on -machine memory-backend={id}-ram "
            + $"-chardev {Quote($"socket,id={id}-socket,{socket}")} -netdev {netdev} -device {device}";
    }

    /// <summary>QEMU's ids start with a letter and hold letters, digits, dash, dot and underscore.</summary>
    private static string Id(string nic)
    {
        var id = string.Concat(nic.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' ? c : '-'));
        return id.Length > 0 && char.IsAsciiLetter(id[0]) ? id : "nic" + id;
    }

    /// <summary>The word as a shell takes it.</summary>
    private static string Quote(string word) =>
        word.All(c => char.IsAsciiLetterOrDigit(c) || "/._-,:=+@%".Contains(c, StringComparison.Ordinal))
            ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
