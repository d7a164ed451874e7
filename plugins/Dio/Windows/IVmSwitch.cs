namespace NicHost.Dio.Windows;

/// <summary>
/// What is called of Windows: vmswitch's user-mode interface (vmsif.dll), the host's networks (computenetwork.dll), and reads and writes. All
/// that decides something stands above it, so that it can be tested on any kernel. Its calls may take seconds, those of
/// <see cref="IVmNic"/> that carry frames apart; none is bound to a thread.
/// </summary>
internal interface IVmSwitch
{
    /// <summary>The ids of the host's networks: a JSON array of strings (HcnEnumerateNetworks).</summary>
    /// <exception cref="VmSwitchException">Windows refuses.</exception>
    string Networks();

    /// <summary>One network's properties, a JSON object (HcnOpenNetwork, HcnQueryNetworkProperties).</summary>
    /// <exception cref="VmSwitchException">There is none (<see cref="WindowsError.NetworkNotFound"/>), or Windows refuses.</exception>
    string Network(Guid id);

    /// <summary>Makes a port of a switch. It is there until it is disposed, or the process ends.</summary>
    /// <exception cref="VmSwitchException">Windows refuses.</exception>
    IDisposable MakePort(Guid switchId, Guid port);

    /// <summary>Makes a NIC, not connected to anything. It is there until it is disposed, or the process ends.</summary>
    /// <exception cref="VmSwitchException">Windows refuses.</exception>
    IVmNic MakeNic(in VmNicIdentity identity);
}

/// <summary>A NIC of vmswitch: a handle that frames are read from and written to.</summary>
/// <remarks>
/// The reads and writes are overlapped. What they return is a Windows error: 0 when they are done already, 997 (ERROR_IO_PENDING) while they run,
/// any other when they were not started. In the first two cases buffer and operation belong to the kernel until the operation's status is another than
/// STATUS_PENDING; at that moment its event is set. Starting an operation resets its event.
/// </remarks>
internal unsafe interface IVmNic : IDisposable
{
    /// <summary>Connects it to a port.</summary>
    /// <exception cref="VmSwitchException">Windows refuses.</exception>
    void Connect(Guid switchId, Guid port);

    /// <summary>Starts a read. It is done with a chain of frames (<see cref="FrameChain"/>).</summary>
    int Read(byte* buffer, int length, IoOperation* operation);

    /// <summary>Starts a write of one frame.</summary>
    int Write(byte* buffer, int length, IoOperation* operation);

    /// <summary>Asks the kernel to end every operation that runs. They are not over when it returns.</summary>
    void Cancel();
}

/// <summary>Who a NIC is to vmswitch.</summary>
/// <param name="Vm">The VM's id.</param>
/// <param name="Name">The NIC's name within the VM: letters, digits, dashes.</param>
/// <param name="FriendlyName">What people call it.</param>
/// <param name="Mac">Its address, in the lower 48 bits, first byte highest.</param>
internal readonly record struct VmNicIdentity(Guid Vm, string Name, string FriendlyName, ulong Mac);
