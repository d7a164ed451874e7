using System.Runtime.InteropServices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Loops;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <content>What changes in a NIC's life without ending it.</content>
internal sealed partial class NicRun
{
    /// <summary>Takes other options, device first, and another link state.</summary>
    /// <exception cref="IOException">One half refuses; what came before it holds, and <see cref="Model"/> says so.</exception>
    public Task UpdateAsync(NicModel wanted, bool device, bool endpoint) => Invoke(() =>
    {
        if (device)
        {
            _device.Reconfigure(NicContexts.Device(wanted, _loops[0], _logging, _vm, _meters));
            Model = Model with { Device = wanted.Device };
        }
        if (endpoint)
        {
            _endpoint!.Reconfigure(wanted);
            Model = Model with { Endpoint = wanted.Endpoint };
        }
        Model = wanted;
        AttachHints = [.. _device.AttachHints];
        SetAdminLink(wanted.IsLinkUp);
    }).WaitAsync(StartLimit, Record.Time);

    /// <summary>Takes the NIC out of its endpoint: the guest sees the link go down, and the endpoint ends.</summary>
    public async Task UnplugAsync()
    {
        if (_endpoint is not { } endpoint) return;
        await Bounded("unplug", Invoke(() =>
        {
            _endpoint = null;
            RefreshLink(tellDevice: true);
        }));
        await Bounded("queues", OnEachQueue(queue => queue.Unplug()));
        await EndEndpointAsync(endpoint);
    }

    /// <summary>Plugs the NIC into the endpoint of <paramref name="wanted"/>: the guest sees the link come up.</summary>
    /// <exception cref="IOException">It cannot start; the NIC stays unplugged.</exception>
    public async Task PlugAsync(NicModel wanted)
    {
        var endpoint = EndpointRun.Make(wanted, _threads[0], Fault, _logging);
        try
        {
            endpoint.Spread(_threads, Fault);
            await Invoke(() => endpoint.Start(this, wanted.IsLinkUp)).WaitAsync(StartLimit, Record.Time);
        }
        catch
        {
            await EndEndpointAsync(endpoint);
            throw;
        }
        Model = wanted;
        _endpoint = endpoint;
        try
        {
            await Task.WhenAll(_threads.Select((thread, i) => thread.InvokeAsync(() =>
            {
                if (_queues[i] is { IsPlugged: false } queue) queue.Plug(endpoint, thread);
            })));
        }
        catch
        {
            await UnplugAsync();
            throw;
        }
        await Invoke(() =>
        {
            _adminUp = wanted.IsLinkUp;
            RefreshLink(tellDevice: true);
        });
        await OnEachQueue(queue => queue.Resume());
    }

    /// <summary>Hands descriptors to the endpoint, whose they are from now on.</summary>
    /// <returns>What they are, in the endpoint's words.</returns>
    /// <exception cref="IOException">It does not take them.</exception>
    public Task<string> PassAsync(IReadOnlyList<SafeHandle> descriptors) => Invoke(() =>
    {
        if (_endpoint?.Endpoint is IDescriptorTaker taker) return taker.Take(descriptors);
        foreach (var descriptor in descriptors) descriptor.Dispose();
        throw new IOException($"An endpoint of kind {Model.Endpoint.Kind} takes no descriptors.");
    }).WaitAsync(StartLimit, Record.Time);

    private void SetAdminLink(bool up)
    {
        if (up != _adminUp) _endpoint?.Endpoint.ShowLink(up);
        _adminUp = up;
        RefreshLink(tellDevice: true);
    }

    private async Task EndEndpointAsync(EndpointRun endpoint)
    {
        await Bounded("endpoint", endpoint.DisposeAsync());
        await Bounded("loops", endpoint.EndAsync());
    }

    private Task OnEachQueue(Action<TrackedQueue> work) => Task.WhenAll(_threads.Select((thread, i) => thread.InvokeAsync(() =>
    {
        if (_queues[i] is { } queue) work(queue);
    })));
}
