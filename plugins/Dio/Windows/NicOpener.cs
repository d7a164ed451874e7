using NicHost.Contracts.Endpoints;
using NicHost.Dio.Options;

namespace NicHost.Dio.Windows;

/// <summary>Finds the switch, makes port and NIC, connects them: all or nothing. Takes up to some ten seconds, on any thread.</summary>
internal sealed class NicOpener(EndpointContext context, DioSettings settings, IVmSwitch windows)
{
    // vmswitch knows VMs by ids, and this one knows none of ours.
    private readonly Guid _vm = Guid.NewGuid();

    /// <exception cref="IOException">Windows refuses; the message says what and the remedy.</exception>
    public OpenedNic Open()
    {
        var found = Try("ask for the host's switches", () => new SwitchFinder(windows).Find(settings.Switch?.Name));
        Guid? theirs = settings.Port.Id is { } id ? Guid.Parse(id) : null;
        var port = theirs ?? Guid.NewGuid();
        IDisposable? ours = null;
        IVmNic? nic = null;
        try
        {
            if (theirs is null) ours = Try($"make a port of switch \"{found.Name}\"", () => windows.MakePort(found.Id, port));
            var identity = new VmNicIdentity(_vm, Plain(context.Nic.ToString()), settings.Nic.Name ?? context.Nic.ToString(), context.Mac.Value);
            nic = Try("make a NIC", () => windows.MakeNic(identity));
            try { nic.Connect(found.Id, port); }
            catch (VmSwitchException e) { throw NotConnected(e, found, theirs); }
            return new OpenedNic(found, port, identity.FriendlyName, nic, ours);
        }
        catch
        {
            nic?.Dispose();
            ours?.Dispose();
            throw;
        }
    }

    private static T Try<T>(string what, Func<T> call)
    {
        try { return call(); }
        catch (VmSwitchException e) when (e.Code == WindowsError.AccessDenied) { throw Denied(what, e); }
        catch (VmSwitchException e) { throw new IOException($"Cannot {what}: {e.Message}.", e); }
        catch (DllNotFoundException e)
        {
            throw new IOException($"Cannot {what}: this Windows has no Hyper-V ({e.Message}). Turn it on: Enable-WindowsOptionalFeature -Online -FeatureName Microsoft-Hyper-V -All", e);
        }
        catch (EntryPointNotFoundException e) { throw new IOException($"Cannot {what}: this Windows has another vmswitch than is known here ({e.Message}).", e); }
    }

    private static IOException NotConnected(VmSwitchException e, FoundSwitch found, Guid? theirs)
    {
        var what = theirs is { } id ? $"port {id} of switch \"{found.Name}\"" : $"a port of switch \"{found.Name}\"";
        if (e.Code == WindowsError.AccessDenied) return Denied($"connect a NIC to {what}", e);
        if (theirs is not null && WindowsError.IsNotFound(e.Code)) return new IOException($"There is no {what}. Give the id of a port that the management stack has made, or leave out \"id\".", e);
        if (theirs is not null && WindowsError.IsTaken(e.Code)) return new IOException($"{what} is taken by another NIC. Give another port's id, or leave out \"id\".", e);
        if (WindowsError.IsTimeout(e.Code)) return new IOException($"{what} did not connect in time. Look at the switch with Get-VMSwitch and start the NIC again.", e);
        return new IOException($"Cannot connect a NIC to {what}: {e.Message}.", e);
    }

    private static IOException Denied(string what, VmSwitchException e) =>
        new($"Our user may not {what}: {e.Message}. Run the host as an administrator.", e);

    private static string Plain(string name) => new([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
}

/// <summary>A connected NIC and, when it was made here, its port. The NIC goes first, for the port is what it hangs on.</summary>
internal sealed class OpenedNic(FoundSwitch of, Guid port, string name, IVmNic nic, IDisposable? ownPort) : IDisposable
{
    public FoundSwitch Switch => of;

    public Guid Port => port;

    public string Name => name;

    public IVmNic Nic => nic;

    public bool MadePort => ownPort is not null;

    public void CloseNic() => nic.Dispose();

    public void ClosePort() => ownPort?.Dispose();

    public void Dispose()
    {
        CloseNic();
        ClosePort();
    }
}
